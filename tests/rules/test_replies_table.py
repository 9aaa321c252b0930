"""Some 280 replies as people write them, and what each does with 0, 1 and 3 open jobs (delivery.md 9)."""

from __future__ import annotations

from datetime import UTC, datetime

from rapid_response.core.incident import Action, Status
from rapid_response.core.states import OfferState, Purpose
from rapid_response.dispatch.replies import read
from rapid_response.dispatch.reply_decision import (
    Answer,
    Effect,
    JobView,
    LastText,
    ReplyDecision,
    Sender,
    SenderKind,
    decide,
)
from tests.cases import each

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
ASHA = Sender(SenderKind.RESPONDER, "asha")
OFFER = (
    "TS duty: job 4821, urgent, scam report. Area BR1 3. On scene by 15:10. "
    "Reply OK 4821 or NO 4821. Sign in for details."
)
ASKED = LastText(Purpose.OFFER, "of 4821", NOW)


def offered(number: int) -> JobView:
    return JobView(number, f"of {number}", Status.DISPATCHING, OfferState.OPEN)


HELD = JobView(7204, "of 7204", Status.ASSIGNED, OfferState.ACCEPTED, held=True)

#: What was written | with no open job | with the offer of 4821 just received | with that, another offer
#: (5530) and a job in hand (7204, accepted, not there yet). Escapes as in Python; {offer} is our text.
TABLE = r"""
# A yes with its number, however it is written
OK 4821                                  | clarify     | accept 4821          | accept 4821
ok 4821                                  | clarify     | accept 4821          | accept 4821
Ok 4821.                                 | clarify     | accept 4821          | accept 4821
OK4821                                   | clarify     | accept 4821          | accept 4821
ok4821!                                  | clarify     | accept 4821          | accept 4821
OK: 4821.                                | clarify     | accept 4821          | accept 4821
OK-4821                                  | clarify     | accept 4821          | accept 4821
O K 4821                                 | clarify     | accept 4821          | accept 4821
O.K. 4821                                | clarify     | accept 4821          | accept 4821
o.k 4821                                 | clarify     | accept 4821          | accept 4821
not o k 4821                             | clarify     | note 4821            | note 4821
OK #4821                                 | clarify     | accept 4821          | accept 4821
ok   4821                                | clarify     | accept 4821          | accept 4821
"OK 4821"                                | clarify     | accept 4821          | accept 4821
“OK 4821”                                | clarify     | accept 4821          | accept 4821
(ok 4821)                                | clarify     | accept 4821          | accept 4821
OK job 4821                              | clarify     | accept 4821          | accept 4821
ok, number 4821 thanks                   | clarify     | accept 4821          | accept 4821
ok for 4821                              | clarify     | accept 4821          | accept 4821
4821 ok                                  | clarify     | accept 4821          | accept 4821
4821 OK.                                 | clarify     | accept 4821          | accept 4821
4821ok                                   | clarify     | accept 4821          | accept 4821
4821: ok                                 | clarify     | accept 4821          | accept 4821
Job 4821 ok                              | clarify     | accept 4821          | accept 4821
job 4821: ok                             | clarify     | accept 4821          | accept 4821
okay 4821                                | clarify     | accept 4821          | accept 4821
Okay, 4821                               | clarify     | accept 4821          | accept 4821
okey 4821                                | clarify     | accept 4821          | accept 4821
accept 4821                              | clarify     | accept 4821          | accept 4821
Accepted 4821                            | clarify     | accept 4821          | accept 4821
ACCEPT job 4821                          | clarify     | accept 4821          | accept 4821
I accept 4821                            | clarify     | accept 4821          | accept 4821
ack 4821                                 | clarify     | accept 4821          | accept 4821
Y4821                                    | clarify     | accept 4821          | accept 4821
y 4821                                   | clarify     | accept 4821          | accept 4821
y 4821!!                                 | clarify     | accept 4821          | accept 4821
Yes 4821                                 | clarify     | accept 4821          | accept 4821
YES4821                                  | clarify     | accept 4821          | accept 4821
yes 4821 15 mins                         | clarify     | accept 4821          | accept 4821
yep 4821                                 | clarify     | accept 4821          | accept 4821
yeah 4821                                | clarify     | accept 4821          | accept 4821
yup 4821 thanks                          | clarify     | accept 4821          | accept 4821
4821 yes                                 | clarify     | accept 4821          | accept 4821
4821 y                                   | clarify     | accept 4821          | accept 4821
ok 4821 eta 20                           | clarify     | accept 4821          | accept 4821
OK 4821 ETA 20                           | clarify     | accept 4821          | accept 4821
OK 4821 eta: 20 min                      | clarify     | accept 4821          | accept 4821
ok 4821, 25 minutes                      | clarify     | accept 4821          | accept 4821
ok 4821 half an hour                     | clarify     | accept 4821          | accept 4821
ok 4821 in 10                            | clarify     | accept 4821          | accept 4821
ok 4821 at 15:10                         | clarify     | accept 4821          | accept 4821
ok 4821 1510                             | clarify     | accept 4821          | accept 4821
ok 4821 by 3pm                           | clarify     | accept 4821          | accept 4821
ok 4821 2026                             | clarify     | accept 4821          | accept 4821
ok 4821 call me on 07700 900123          | clarify     | accept 4821          | accept 4821
ok 4821 +44 7700 900123                  | clarify     | accept 4821          | accept 4821
ok 4821 what's the door number?          | clarify     | accept 4821          | accept 4821
ok 4821 \U0001f44d                       | clarify     | accept 4821          | accept 4821
ok 4 8 2 1                               | clarify     | accept 4821          | accept 4821
ok ok 4821                               | clarify     | accept 4821          | accept 4821
ok 4821 4821                             | clarify     | accept 4821          | accept 4821
hi ok 4821                               | clarify     | accept 4821          | accept 4821
Hello, yes 4821 please                   | clarify     | accept 4821          | accept 4821
thanks, ok 4821                          | clarify     | accept 4821          | accept 4821
right ok 4821                            | clarify     | accept 4821          | accept 4821
Sorry for the delay, ok 4821             | clarify     | note 4821            | note 4821
ok 4821\n> {offer}                       | clarify     | accept 4821          | accept 4821
> {offer}\nOK 4821                       | clarify     | accept 4821          | accept 4821
"{offer}" OK 4821                        | clarify     | accept 4821          | accept 4821
Ok 4821\nSent from my iPhone             | clarify     | accept 4821          | accept 4821
\uff2f\uff2b \uff14\uff18\uff12\uff11    | clarify     | accept 4821          | accept 4821
\u200bok\u200b 4821                      | clarify     | accept 4821          | accept 4821

# One slip of the finger, only with a number
accpet 4821                              | clarify     | accept 4821          | accept 4821
acceptd 4821                             | clarify     | accept 4821          | accept 4821
acecpt 4821                              | clarify     | accept 4821          | accept 4821

# A bare yes counts only as the answer to the one offer it follows
ok                                       | silent      | accept 4821          | list_jobs
OK                                       | silent      | accept 4821          | list_jobs
Ok.                                      | silent      | accept 4821          | list_jobs
ok!                                      | silent      | accept 4821          | list_jobs
okay                                     | silent      | accept 4821          | list_jobs
k                                        | clarify     | note 4821            | clarify
ok \U0001f44d                            | silent      | accept 4821          | list_jobs
ok thanks                                | silent      | accept 4821          | list_jobs
Ok thank you                             | silent      | accept 4821          | list_jobs
ok cheers mate                           | silent      | accept 4821          | list_jobs
ok will do                               | silent      | accept 4821          | list_jobs
ok great                                 | silent      | accept 4821          | list_jobs
right ok                                 | silent      | accept 4821          | list_jobs
thanks ok                                | silent      | accept 4821          | list_jobs
yes                                      | silent      | accept 4821          | list_jobs
YES                                      | silent      | accept 4821          | list_jobs
Yes.                                     | silent      | accept 4821          | list_jobs
yes please                               | silent      | accept 4821          | list_jobs

# Too short without a number
y                                        | clarify     | list_jobs            | list_jobs
Y                                        | clarify     | list_jobs            | list_jobs
n                                        | clarify     | list_jobs            | list_jobs
yep                                      | clarify     | list_jobs            | list_jobs
yes but later                            | clarify     | note 4821            | clarify

# A yes with a time, or with words beside it
yes in an hour                           | clarify     | list_jobs            | list_jobs
ok eta 15                                | silent      | accept 4821          | list_jobs
ok 15 mins                               | silent      | accept 4821          | list_jobs
ok in 20                                 | silent      | accept 4821          | list_jobs
ok be there soon                         | clarify     | accept 4821          | list_jobs
ok still at Orpington, then yours        | clarify     | accept 4821          | list_jobs
accept                                   | silent      | accept 4821          | list_jobs
I accept                                 | silent      | accept 4821          | list_jobs

# Questions and kind words promise nothing
ok who is this?                          | clarify     | note 4821            | clarify
ok?                                      | clarify     | note 4821            | clarify
is that ok                               | clarify     | note 4821            | clarify
\U0001f44d                               | clarify     | note 4821            | clarify
thumbs up                                | silent      | list_jobs            | list_jobs
thanks                                   | silent      | list_jobs            | list_jobs
Thank you                                | silent      | list_jobs            | list_jobs
cheers                                   | silent      | list_jobs            | list_jobs
noted                                    | silent      | list_jobs            | list_jobs
got it                                   | silent      | list_jobs            | list_jobs
Received                                 | silent      | list_jobs            | list_jobs
no problem                               | silent      | list_jobs            | list_jobs
no worries                               | silent      | list_jobs            | list_jobs
No probs, thanks                         | silent      | list_jobs            | list_jobs
ok no problem                            | clarify     | note 4821            | clarify
yes 4821 no problem                      | clarify     | note 4821            | note 4821
no worries ok 4821                       | clarify     | note 4821            | note 4821

# A copy of our own text, or a thumb tapped onto it
Liked “{offer}”                          | silent      | list_jobs            | list_jobs
\U0001f44d to “{offer}”                  | silent      | list_jobs            | list_jobs
{offer}                                  | silent      | list_jobs            | list_jobs
Reply OK 4821 or NO 4821                 | clarify     | note 4821            | note 4821

# A no may do without its number where one offer is open
no                                       | no_open_job | decline 4821         | list_jobs
NO                                       | no_open_job | decline 4821         | list_jobs
No.                                      | no_open_job | decline 4821         | list_jobs
sorry no                                 | no_open_job | decline 4821         | list_jobs
No sorry                                 | no_open_job | decline 4821         | list_jobs
cant                                     | no_open_job | decline 4821         | list_jobs
can't                                    | no_open_job | decline 4821         | list_jobs
can’t                                    | no_open_job | decline 4821         | list_jobs
cant, at dentist                         | no_open_job | decline 4821         | list_jobs
can't make it, in court all day          | no_open_job | decline 4821         | list_jobs
cannot                                   | no_open_job | decline 4821         | list_jobs
unable                                   | no_open_job | decline 4821         | list_jobs
unable to attend                         | no_open_job | decline 4821         | list_jobs
busy                                     | no_open_job | decline 4821         | list_jobs
busy till 3                              | no_open_job | decline 4821         | list_jobs
not available                            | no_open_job | decline 4821         | list_jobs
Sorry, unavailable today                 | no_open_job | decline 4821         | list_jobs
decline                                  | no_open_job | decline 4821         | list_jobs
declined                                 | no_open_job | decline 4821         | list_jobs

# A no with its number
NO 4821                                  | clarify     | decline 4821         | decline 4821
no 4821                                  | clarify     | decline 4821         | decline 4821
no4821                                   | clarify     | decline 4821         | decline 4821
NO: 4821!                                | clarify     | decline 4821         | decline 4821
n 4821                                   | clarify     | decline 4821         | decline 4821
N4821                                    | clarify     | decline 4821         | decline 4821
nope 4821                                | clarify     | decline 4821         | decline 4821
4821 no                                  | clarify     | decline 4821         | decline 4821
4821 cant                                | clarify     | decline 4821         | decline 4821
cant 4821                                | clarify     | decline 4821         | decline 4821
can't do 4821                            | clarify     | decline 4821         | decline 4821
sorry can't do 4821, on leave            | clarify     | decline 4821         | decline 4821
decline 4821                             | clarify     | decline 4821         | decline 4821
Declined 4821                            | clarify     | decline 4821         | decline 4821
declne 4821                              | clarify     | decline 4821         | decline 4821
reject 4821                              | clarify     | decline 4821         | decline 4821
busy 4821                                | clarify     | decline 4821         | decline 4821
unable 4821 sorry                        | clarify     | decline 4821         | decline 4821
not available 4821                       | clarify     | decline 4821         | decline 4821
no 4821 on leave til 3                   | clarify     | decline 4821         | decline 4821

# A yes beside a negation is no yes
ok not 4821                              | clarify     | note 4821            | note 4821
not ok 4821                              | clarify     | note 4821            | note 4821
ok 4821 not                              | clarify     | note 4821            | note 4821
can't do 4821 ok                         | clarify     | note 4821            | note 4821
ok cant 4821                             | clarify     | note 4821            | note 4821
ok 4821 unless it is joint               | clarify     | note 4821            | note 4821
ok 4821 if nobody else can               | clarify     | note 4821            | note 4821
okay 4821 but I can't go in alone        | clarify     | note 4821            | note 4821
I don't accept 4821                      | clarify     | note 4821            | note 4821
won't accept 4821                        | clarify     | note 4821            | note 4821
ok 4821? not sure                        | clarify     | note 4821            | note 4821
yes 4821 if needed                       | clarify     | note 4821            | note 4821
no ok 4821                               | clarify     | note 4821            | note 4821
ok no 4821                               | clarify     | note 4821            | note 4821

# Two words, two numbers
ok 4821 go                               | clarify     | note 4821            | note 4821
ok 4821 on my way                        | clarify     | note 4821            | note 4821
ok 4821 here now                         | clarify     | note 4821            | note 4821
ok 4821 5530                             | clarify     | clarify              | clarify
ok 4821 and 5530                         | clarify     | clarify              | clarify
4821 5530 ok                             | clarify     | clarify              | clarify
no 4821 yes 5530                         | clarify     | clarify              | clarify

# Numbers that are nobody's, or half a number
ok 482                                   | clarify     | note 4821            | clarify
ok 48215530                              | clarify     | note 4821            | clarify
OK 1234                                  | clarify     | clarify              | clarify
ok 9999                                  | clarify     | clarify              | clarify
yes 9998                                 | clarify     | clarify              | clarify
ok 08001234567                           | clarify     | accept 4821          | list_jobs

# On the way: on an open offer it is OK and GO
GO                                       | no_open_job | accept+en_route 4821 | list_jobs
go                                       | no_open_job | accept+en_route 4821 | list_jobs
going                                    | no_open_job | accept+en_route 4821 | list_jobs
on my way                                | no_open_job | accept+en_route 4821 | list_jobs
omw                                      | no_open_job | accept+en_route 4821 | list_jobs
On our way                               | no_open_job | accept+en_route 4821 | list_jobs
en route                                 | no_open_job | accept+en_route 4821 | list_jobs
GO 4821                                  | clarify     | accept+en_route 4821 | accept+en_route 4821
go4821                                   | clarify     | accept+en_route 4821 | accept+en_route 4821
going 4821                               | clarify     | accept+en_route 4821 | accept+en_route 4821
on my way 4821                           | clarify     | accept+en_route 4821 | accept+en_route 4821
OMW 4821 eta 12                          | clarify     | accept+en_route 4821 | accept+en_route 4821
4821 on my way                           | clarify     | accept+en_route 4821 | accept+en_route 4821
en route to 4821                         | clarify     | accept+en_route 4821 | accept+en_route 4821
leaving now 4821                         | clarify     | accept+en_route 4821 | accept+en_route 4821
not going 4821                           | clarify     | note 4821            | note 4821

# At the door
HERE                                     | no_open_job | accept+on_scene 4821 | list_jobs
here                                     | no_open_job | accept+on_scene 4821 | list_jobs
arrived                                  | no_open_job | accept+on_scene 4821 | list_jobs
on scene                                 | no_open_job | accept+on_scene 4821 | list_jobs
on-scene                                 | no_open_job | accept+on_scene 4821 | list_jobs
HERE 4821                                | clarify     | accept+on_scene 4821 | accept+on_scene 4821
here4821                                 | clarify     | accept+on_scene 4821 | accept+on_scene 4821
Arrived 4821                             | clarify     | accept+on_scene 4821 | accept+on_scene 4821
on scene 4821                            | clarify     | accept+on_scene 4821 | accept+on_scene 4821
Onscene 4821                             | clarify     | accept+on_scene 4821 | accept+on_scene 4821
we have arrived 4821                     | clarify     | accept+on_scene 4821 | accept+on_scene 4821
just arrived 4821, door is open          | clarify     | accept+on_scene 4821 | accept+on_scene 4821
not here yet 4821                        | clarify     | note 4821            | note 4821
here 4821 no answer                      | clarify     | note 4821            | note 4821

# The end, and its code
DONE                                     | no_open_job | accept_first 4821    | code_list 7204
done                                     | no_open_job | accept_first 4821    | code_list 7204
all done                                 | no_open_job | accept_first 4821    | code_list 7204
finished                                 | no_open_job | accept_first 4821    | code_list 7204
DONE 4821                                | clarify     | accept_first 4821    | accept_first 4821
done 4821 HELPED                         | clarify     | accept_first 4821    | accept_first 4821
DONE HELPED 4821                         | clarify     | accept_first 4821    | accept_first 4821
done 4821 helped, bank told              | clarify     | accept_first 4821    | accept_first 4821
4821 done helped                         | clarify     | accept_first 4821    | accept_first 4821
DONE 7204 HELPED                         | clarify     | clarify              | on_scene+close 7204
done 7204                                | clarify     | clarify              | code_list 7204
done 7204 phone                          | clarify     | clarify              | remote_response+close 7204
done 7204 by phone                       | clarify     | clarify              | remote_response+close 7204
done 7204 advice                         | clarify     | clarify              | here_first 7204
done 7204 police                         | clarify     | clarify              | police_reference_needed 7204
done 7204 police CAD 5521/22NOV          | clarify     | clarify              | police_handover+close 7204
done 7204 no trace                       | clarify     | clarify              | no_contact 7204
done 7204 nocontact                      | clarify     | clarify              | no_contact 7204
done 7204 declined                       | clarify     | clarify              | here_first 7204
done 7204 nocrime                        | clarify     | clarify              | here_first 7204
done 7204 helpd                          | clarify     | clarify              | on_scene+close 7204
done 7204 arrested                       | clarify     | clarify              | code_list 7204
done 7204 not yet                        | clarify     | clarify              | note 7204
finished 7204 helped                     | clarify     | clarify              | on_scene+close 7204
complete 7204 helped                     | clarify     | clarify              | on_scene+close 7204
done helped                              | no_open_job | accept_first 4821    | on_scene+close 7204

# Nobody there
NOBODY 7204                              | clarify     | clarify              | no_contact 7204
nobody                                   | no_open_job | accept_first 4821    | no_contact 7204
no answer                                | no_open_job | accept_first 4821    | no_contact 7204
no one in 7204                           | clarify     | clarify              | no_contact 7204
no reply at door 7204                    | clarify     | clarify              | no_contact 7204
NOBODY 4821                              | clarify     | accept_first 4821    | accept_first 4821

# A lone worker's check-in
SAFE                                     | no_open_job | accept_first 4821    | check_in 7204
safe                                     | no_open_job | accept_first 4821    | check_in 7204
I'm safe                                 | no_open_job | accept_first 4821    | check_in 7204
safe 7204                                | clarify     | clarify              | check_in 7204
check in 7204                            | clarify     | clarify              | check_in 7204
not safe 7204                            | clarify     | clarify              | note 7204

# The words
HELP                                     | words       | words                | words
?                                        | words       | words                | words
words                                    | words       | words                | words
jobs                                     | words       | words                | words
status 4821                              | words       | words                | words
help 4821                                | words       | words                | words

# What the carrier acts on
STOP                                     | opt_out     | opt_out              | opt_out
stop                                     | opt_out     | opt_out              | opt_out
Stop.                                    | opt_out     | opt_out              | opt_out
END                                      | opt_out     | opt_out              | opt_out
cancel                                   | opt_out     | opt_out              | opt_out
QUIT                                     | opt_out     | opt_out              | opt_out
START                                    | opt_in      | opt_in               | opt_in

# None of these is a command
STOP 4821                                | clarify     | note 4821            | note 4821
END 7204                                 | clarify     | clarify              | note 7204
CANCEL 4821                              | clarify     | note 4821            | note 4821

# Anything else is kept and shown to a person
can you send the address?                | clarify     | note 4821            | clarify
what is the address for 4821             | clarify     | note 4821            | note 4821
the man has left in a white van          | clarify     | note 4821            | clarify
running late                             | clarify     | note 4821            | clarify
4821                                     | clarify     | list_jobs            | list_jobs
4821?                                    | clarify     | list_jobs            | list_jobs
HELPED 7204                              | clarify     | clarify              | note 7204
hello                                    | clarify     | note 4821            | clarify
...                                      | clarify     | clarify              | clarify
wrong number                             | clarify     | note 4821            | clarify
ok this is not for me                    | clarify     | note 4821            | clarify
"""
ROWS = [line for line in TABLE.splitlines() if line.strip() and not line.startswith("#")]


def in_short(decision: ReplyDecision) -> str:
    """`accept+en_route 4821`, `list_jobs`, or the answer's name where something is missing."""
    said: str = decision.effect.value
    if decision.effect is Effect.ACT:
        said = "+".join(action.value for action, _ in decision.actions if action is not Action.NOTE)
    elif decision.effect is Effect.CLARIFY and decision.answer not in (None, Answer.CLARIFY):
        said = decision.answer.value
    return f"{said} {decision.job_number}" if decision.job_number else said


def test_q1_the_table_is_long_enough_to_mean_something() -> None:
    assert len(ROWS) >= 250


@each("row", ROWS)
def test_q1_what_a_reply_does(row: str) -> None:
    written, *expected = (cell.strip() for cell in row.split("|"))
    text = written.encode("ascii", "backslashreplace").decode("unicode_escape").replace("{offer}", OFFER)
    reply = read(text)
    done = [
        in_short(decide(reply, ASHA, jobs, last, NOW))
        for jobs, last in (
            ((), []),
            ((offered(4821),), [ASKED]),
            ((offered(4821), offered(5530), HELD), [ASKED]),
        )
    ]
    assert done == expected
