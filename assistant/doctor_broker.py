"""Tries whether each MQTT broker can be reached and lets nobody in but us.

It must never publish, subscribe, or keep a connection: the broker hears a greeting and a farewell.
"""

import asyncio
import logging
import ssl
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum

from assistant.machine_checks import Check
from assistant.massager.device import Broker
from audio.errors import MassagerUnsafe, NotFit

TRY_SECONDS = 3.0
_REFUSALS = (4, 5, 134, 135)
"""CONNACK codes for a wrong user name or password, MQTT 3.1.1 and 5."""


class Answer(Enum):
    """How a broker answers a greeting."""

    WELCOME = "welcome"
    REFUSED = "refused"
    BAD_CERTIFICATE = "bad certificate"
    UNREACHABLE = "unreachable"


def broker(where: Broker) -> Check:
    """Greet it as we would in a session, then as a stranger. Raises `MassagerUnsafe` for a password
    or certificate that cannot be read."""
    answer = asyncio.run(_greet(where, where.password()))
    if answer is not Answer.WELCOME or where.user is None:
        return judged(where, answer, answer)
    return judged(where, answer, asyncio.run(_greet(replace(where, user=None), None)))


def judged(where: Broker, answer: Answer, to_strangers: Answer) -> Check:
    """What its answers to us and to somebody without a name mean."""
    name = f"broker {where.host}:{where.port}"
    match answer:
        case Answer.REFUSED:
            remedy = "check user, and password_file or $UNKNOT_MQTT_PASSWORD"
            return Check(name, False, f"refuses user {where.user!r}", remedy, NotFit.exit_code)
        case Answer.BAD_CERTIFICATE:
            remedy = "ca_file must be its authority, and broker the name in its certificate"
            return Check(name, False, "its certificate does not match", remedy, NotFit.exit_code)
        case Answer.UNREACHABLE:
            remedy = "start it, or check broker, port and tls"
            return Check(name, False, "cannot be reached", remedy, NotFit.exit_code)
    if to_strangers is Answer.WELCOME:
        remedy = "allow_anonymous false in mosquitto.conf, and a password: see mosquitto_passwd"
        return Check(name, False, "lets in anybody, who could switch the massager on", remedy)
    private = "over TLS" if where.tls else "without TLS: the password can be read in your network"
    return Check(name, True, f"lets us in as {where.user}, and no strangers; {private}")


def distinct(brokers: Iterable[Broker | None]) -> list[Broker]:
    """Each broker once."""
    return list(dict.fromkeys(each for each in brokers if each is not None))


async def _greet(where: Broker, password: str | None) -> Answer:
    try:
        import aiomqtt
    except ModuleNotFoundError as error:
        raise MassagerUnsafe(
            f"{error.name} is not installed", "pip install 'unknot[mqtt]'"
        ) from None
    quiet = logging.getLogger(f"{__name__}.library")
    quiet.setLevel(logging.CRITICAL)  # what it would tell is told by the check
    try:
        async with asyncio.timeout(TRY_SECONDS):
            async with aiomqtt.Client(
                where.host,
                where.port,
                username=where.user,
                password=password,
                logger=quiet,
                timeout=TRY_SECONDS,
                tls_context=_tls(where),
            ):
                return Answer.WELCOME
    except (aiomqtt.MqttError, OSError) as error:
        return _answer(error)


def _answer(error: Exception) -> Answer:
    code = getattr(error, "rc", None)
    if getattr(code, "value", code) in _REFUSALS:
        return Answer.REFUSED
    return Answer.BAD_CERTIFICATE if "certificate" in str(error).lower() else Answer.UNREACHABLE


def _tls(where: Broker) -> ssl.SSLContext | None:
    if not where.tls:
        return None
    try:
        return ssl.create_default_context(cafile=where.ca_file)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or error
        remedy = "ca_file must be the broker's authority as a PEM file"
        raise MassagerUnsafe(f"{where.ca_file}: {why}", remedy) from None
