"""The duress word: which words may be one, and whether a text holds it.

Somebody under threat texts it, and nothing on her phone changes. So no function here gives the word back, and
no sentence here repeats it: what is refused at load is not quoted either.
"""

from __future__ import annotations

import re
import unicodedata

SHORTEST, LONGEST = 3, 12
PATTERN = rf"^[A-Za-z]{{{SHORTEST},{LONGEST}}}$"

_LETTERS = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_APOSTROPHES = str.maketrans("", "", "'\u2019")


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


#: Words that people text us, and words of our own texts, which come back as copies under a reply: with one
#: of these the alarm would go off by itself. Tests hold it against the words and the sentences there are.
RESERVED = _words(
    # Replies, their codes, what stands beside them, and what a carrier acts on.
    "able accept accepted accepting ack address advice advised afternoon aint all answer arent arrived",
    "asap available body boss both bother busy can cancel cannot cant check checked checkin checking",
    "cheers clear cleared closed code commands complete completed contact cool copy couldnt crime decline",
    "declined declining didnt disliked doesnt done dont emphasised emphasized end enroute evening",
    "exclamation fine finished for free from going good got great hadnt has hasnt have havent heart hello",
    "help helped here hey home how idea ill info iphone isnt ive job jobs just laugh laughed leaving like",
    "liked list lot love loved lovely make many mark mate morning mustnt nah neednt neither never nobody",
    "nocontact nocrime none noone nope nor not noted notrace now num number off okay okey omw one onscene",
    "onsite opt optout otw our out outcome perfect phone phoned please pls police possible prob problem",
    "problems probs question questioned quit reacted received ref reject rejected removed reply response",
    "revoke right roger route safe scene seen sent set setting shant shouldnt site sorry start status",
    "stop stopall sure thank thanks that the then there thumbs thx trace trouble unable unavailable",
    "understood unless unstop unsubscribe wasnt way well werent weve what whats when where wheres which",
    "who whos why will with wont word words worries wouldnt xxx yeah yep yes you yup",
    # Our own texts.
    "about access account acknowledged act acts add again alarm alone along already and another",
    "answered answers any are area arrange arrival ask asked asks assign attend attendance back bank",
    "before board bst cad call caller calls cancelled case cases changed checks clock collector coming",
    "computers confirm confirms courier cut danger deadlines decide desk details device did does door",
    "doorstep duress duty else ends enter expected failing finish first follow fri gap gaps gave get",
    "gmt goes gone had hand handed handover held its joined joint jumped keeps kept last late leave",
    "left link live loss lost made marker markers may message min minute missed moment mon more name",
    "need needed needs new next note nothing numbers offers officer once only open opened ours",
    "outcomes outside over overdue owed page parked part partner passed person phones pictures",
    "prevented promise protect rang reach reached reason recent reference release repeat report",
    "reported responder responders review reviewed reviews ring rings risk rota runbook runs said sat",
    "say scam scams scheduled second see send service shift sign since somebody someone soon standards",
    "starts stays step still stopped such sun suspect take task tell text texts theft their theirs them this",
    "threats thu time told trader trading tue twice under until urgent use victim visit wait waits was",
    "wed whom whose without work worried yet your yours",
)


def tidy(word: str) -> str:
    """The word as it is kept and compared."""
    return word.strip().casefold()


def why_not(word: str) -> str | None:
    """Why this cannot be the word, as a sentence that does not repeat it; None where it can."""
    if not re.fullmatch(PATTERN, word.strip()):
        return f"cannot be the duress word. Choose one word of {SHORTEST} to {LONGEST} letters from a to z"
    if tidy(word) in RESERVED:
        return (
            "is a word of replies or of our own texts, so that it would raise alarms by itself. "
            "Choose a word that nobody texts by chance"
        )
    return None


def says(text: str, word: str | None) -> bool:
    """Whether the text holds the word, alone or among others, in whatever letters, with or without a number.

    The whole text is looked at, copies of ours included: an alarm too many costs less than one missed.
    """
    if not word:
        return False
    plain = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    return any(found[0].casefold().translate(_APOSTROPHES) == word for found in _LETTERS.finditer(visible))
