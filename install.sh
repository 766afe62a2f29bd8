#!/usr/bin/env bash
# Installs unknot as a service on a Raspberry Pi or any 64-bit Debian: sudo ./install.sh
# Run it again to bring it up to date. sudo ./install.sh --uninstall takes it away again.
# It never touches your journal (/var/lib/unknot), your settings (/etc/unknot) or your sound set-up.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

home=/opt/unknot
wrapper=/usr/local/bin/unknot
packages=(python3-venv libportaudio2 libatomic1 alsa-utils ca-certificates)
system_python=()

step() { printf '\n== %s\n' "$*"; }
refuse() { printf 'install.sh: %s\n' "$*" >&2; exit 3; }
with_systemd() { [ -d /run/systemd/system ]; }

[ "$(id -u)" = 0 ] || refuse "it adds packages, a user and a service: run it with sudo"
if [ "${1:-}" = --uninstall ]; then
  if with_systemd; then systemctl stop unknot.service 2>/dev/null || true; fi
  if [ -e /etc/systemd/system/unknot.service ]; then "$wrapper" service remove; fi
  rm -rf "$home" "$wrapper" /var/cache/unknot
  echo "unknot is gone; journal and settings are kept in /var/lib/unknot and /etc/unknot"
  exit
fi
command -v apt-get >/dev/null || refuse "there is no apt-get: use make install instead"
[ "$(getconf LONG_BIT)" = 64 ] || refuse "this is a 32-bit system: install the 64-bit Raspberry Pi OS"

step "Packages of the system"
apt-get update -qq || echo "no new package lists; going on with the old ones"
if apt-cache show python3-lgpio >/dev/null 2>&1; then # Raspberry Pi OS has it: for a button on a pin
  packages+=(python3-lgpio)
  system_python=(--system-site-packages)
fi
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null

step "A user of its own, and its folders"
getent passwd unknot >/dev/null || useradd --system --user-group --home-dir /nonexistent \
  --shell /usr/sbin/nologin unknot
for group in audio gpio; do if getent group $group >/dev/null; then usermod -aG $group unknot; fi; done
install -d -o unknot -g unknot -m 700 /var/lib/unknot /var/cache/unknot
install -d -o unknot -g unknot -m 755 /etc/unknot

step "The program, in $home (a few minutes)"
if with_systemd && systemctl --quiet is-active unknot.service; then
  trap 'systemctl start unknot.service || true' ERR # what ran before runs again
  systemctl stop unknot.service
fi
/usr/bin/python3 -m venv "${system_python[@]}" "$home" # Debian's own, which every user may enter
PIP_USE_PEP517=1 "$home/bin/pip" install --quiet --disable-pip-version-check --upgrade \
  '.[mqtt,page,button,voice]'
trap - ERR
cat >"$wrapper" <<'WRAPPER'
#!/bin/sh
# With sudo it sees what the service sees; else it is a person's own, with their own settings.
if [ "$(id -u)" = 0 ] && [ "${1:-}" != service ]; then
  export HOME=/var/lib/unknot STATE_DIRECTORY=/var/lib/unknot CACHE_DIRECTORY=/var/cache/unknot \
    CONFIGURATION_DIRECTORY=/etc/unknot
  exec runuser -u unknot -- /opt/unknot/bin/unknot "$@"
fi
exec /opt/unknot/bin/unknot "$@"
WRAPPER
chmod 755 "$wrapper"

step "The speech model"
"$wrapper" model install || echo "Without it unknot hears words less well. Later: sudo unknot model install"

step "What this machine lacks"
"$wrapper" doctor || echo "Each line that begins with FAIL names what helps; unknot is installed all the same."

step "The service"
if with_systemd; then "$wrapper" service install; else echo "systemd does not run here: start it with: unknot run"; fi
