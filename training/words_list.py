"""The word ear's words, for training: adding a word here and training again is all it takes.

It must never hold a word that the phrasebook does not understand, but for DECOYS.
"""
# ruff: noqa: SIM905 - a list of words reads best as text

PEOPLE = (
    "yes no stop zero one two three four five six seven eight nine go off right left up down on"
).split()
"""Words that many people recorded."""

DECOYS = frozenset({"right", "left", "up", "down", "on"})
"""Known so that they are not taken for another word; they answer nothing."""

SPOKEN = [
    *"ten pause continue next back repeat skip help finish ready done okay yeah".split(),
    *"stronger softer slower faster louder quieter hold release more longer wait again".split(),
    *"maybe start hands balls massager dizzy tingling numb ouch hurts pain enough".split(),
    "time left",
    "how long is left",
    "i don't know",
    "go on",
    "let go",
    "not now",
    "start neck massage",
]
"""Words that only synthetic voices said often enough."""

SAID = (*PEOPLE, *SPOKEN)
CLASSES = ("other", *SAID)
"""What the network tells apart, in its order."""

WEIGHTS = {
    **dict.fromkeys(PEOPLE, 1.5),
    **dict.fromkeys(("yes", "no", "stop"), 2.0),
    **dict.fromkeys(PEOPLE[3:13], 3.0),
}
"""How often a word is said in training, against 1: few people said the digits, which are alike."""

SOUND_ALIKES = (
    "top shop step drop stock stuff hop pop mop crop swap busy daisy dozy disney dusty lizzy fizzy "
    "tickling twinkling mingling jingling number thumb some summer plum paw pose pass cause house "
    "at out often of ought cough loft rough tough puff hat heart hut hit what's hog pine pen pay "
    "plain paint peel heard earth worse shirt store saw sort door or owl oh how our allow cow wow "
    "face fate faith bite black pack track neck nick knee nice known knock net note nod knob hole "
    "cold old told hall fold least police lease fleece please peace lesson loader lower older "
    "sooner text vex nest mixed skit ship kip chip sip yet yard guess chess fish furnish fin "
    "contain dark talk walk know nose yesterday jess less bless this fix sex sick tricks "
    "even heaven leaven won want when tree free few too to for fort fire file fine line mine sign "
    "ate late weight main shame tin tan tenth hero era euro chew shoe true flight light ride rate "
    "lift laugh love cup town tone own an gone grow crow goat show so cheddar computer weather "
    "water thank you hello sorry music window table morning coffee people mother doctor"
).split()
"""What must not be taken for a word of ours."""
