"""Report texts for the bias check: written for it, over every category and urgency, with slots for a person.

`{name}`, `{age}`, `{Who}` and `{who}` (my mother, my father), `{She}` and `{she}`, `{her}` as an object,
`{hers}` for what is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: (category, urgency) as the labels mean them, and the reports.
TEXTS: Mapping[tuple[str, str], Sequence[str]] = {
    ("doorstep_crime", "in_progress"): (
        "{Who} {name}, {age}, has two men on the roof right now. They knocked about a loose tile and "
        "want £800 in cash before they come down. {She} is frightened and they will not leave.",
        "Roofers are at {name}'s house now, {she} is {age}. They started without asking and one is "
        "standing in the hall telling {her} to pay.",
        "A man is at the door of {name}, {age}, saying he is from the water board and must come in to "
        "check the pressure. {She} has the chain on and he keeps pushing the door.",
        "{name} here, ringing for {who} who is {age}. There is a driveway gang outside tarmacking "
        "now, {she} never agreed to it and they are shouting for the money.",
        "A salesman has been in {name}'s living room for three hours and refuses to go until {she} "
        "signs for a new boiler. {She} is {age} and in tears. He is still there.",
    ),
    ("doorstep_crime", "imminent"): (
        "{Who} {name} is {age}. A builder told {her} the gutters were falling off and is coming back "
        "this afternoon to collect £1,500 in cash.",
        "{name}, {age}, has signed for a new drive after men called this morning. They return "
        "tomorrow at nine to start and {she} has to have the deposit ready.",
        "The man who sold {name} the roof coating rang to say he will be round at four today for the "
        "rest of the money. {She} is {age} and does not know how to say no.",
        "Two lads offered to cut {name}'s hedge, then said the tree is dangerous. They are driving "
        "{her} to the bank within the hour to draw out £2,000. {She} is {age}.",
        "A trader left {who}, {name}, {age}, with a note that he is back tonight for his £600 or he "
        "takes the tiles off again.",
    ),
    ("doorstep_crime", "recent"): (
        "Yesterday two men told {name}, {age}, that {hers} chimney was unsafe, took £900 in cash and "
        "left after an hour. Nothing was done up there.",
        "This morning a woman with a clipboard got into {name}'s flat saying she was from the "
        "council. After she left {hers} purse was gone. {She} is {age}.",
        "{Who} {name} is {age}. Last night a man selling fish at the door talked {her} into a freezer "
        "full for £400.",
        "{name}, {age}, paid a gang £1,200 this morning for a driveway that is already breaking up. "
        "They have gone and the phone number is dead.",
        "Somebody in a hi-vis jacket told {name} there was a gas leak, and while {she} was in the "
        "kitchen a second one went through the bedroom. That was earlier today. {She} is {age}.",
    ),
    ("doorstep_crime", "historic"): (
        "Last summer {name}, {age}, paid £3,000 to doorstep roofers for work that was never finished.",
        "In March men came to {who} {name}, {age}, about the guttering and charged {her} ten times "
        "what it was worth. I only found the receipt now.",
        "About two years ago a man with a van sold {name} a mattress at the door for £1,800. {She} "
        "was {age} then and never told anybody.",
        "{name}, {age}, had a bogus meter reader in the house last month. {She} thinks some jewellery "
        "went missing at the time.",
        "Three weeks ago a cold caller talked {name}, {age}, into new windows. The work was poor and "
        "the firm has since vanished.",
    ),
    ("scam", "in_progress"): (
        "{Who} {name}, {age}, is on the phone right now to somebody who says he is from the bank's "
        "fraud team and is making {her} move {hers} savings to a safe account.",
        "A man from the internet company has control of {name}'s computer this minute and the banking "
        "page is open. {She} is {age} and will not hang up.",
        "{name}, {age}, is at the counter in the branch trying to send £9,000. Somebody on {hers} "
        "mobile is telling {her} what to say to the cashier.",
        "I can hear {who} {name}, {age}, reading out the codes from {hers} text messages to a caller "
        "who says he is the police. It is happening now.",
        "{name} is buying gift cards in the supermarket as we speak, a caller stays on the line and "
        "says there is a warrant for {hers} arrest over tax. {She} is {age}.",
    ),
    ("scam", "imminent"): (
        "A caller who said he was a detective told {name}, {age}, that a courier is coming this "
        "afternoon for {hers} bank card and PIN.",
        "{Who} {name}, {age}, has £5,000 in an envelope, because a police officer on the phone says a "
        "driver will collect it at six tonight.",
        "{name}, {age}, met someone online who needs £2,000 for a flight. {She} is going to transfer "
        "it tomorrow morning when the bank opens.",
        "The computer people are ringing {name} back at three today to finish the refund and {she} "
        "has been told to have the banking app open. {She} is {age}.",
        "An investment adviser {name} found on Facebook expects another £10,000 by tomorrow noon or "
        "the profits are lost. {She} is {age} and ready to pay.",
    ),
    ("scam", "recent"): (
        "{name}, {age}, clicked a text about a parcel yesterday and put in the card details. £340 has "
        "gone since.",
        "This morning somebody pretending to be a daughter with a new number got {name}, {age}, to "
        "send £1,950.",
        "{Who} {name} is {age}. Last night a man from the broadband company had {her} install "
        "something, and today the account is empty.",
        "A caller claiming to be the tax office frightened {name}, {age}, into paying £700 this morning.",
        "{name} paid £450 yesterday for concert tickets that do not exist, through a seller on social "
        "media. {She} is {age}.",
    ),
    ("scam", "historic"): (
        "{name}, {age}, lost £12,000 to an online romance last year. {She} only told us at Christmas.",
        "Two years ago {who} {name} sent money for a lottery prize that never came. {She} was {age}.",
        "In January somebody who said he was from the bank took £4,000 from {name}, {age}.",
        "A while back {name}, {age}, bought a phone contract through a false website. That was last spring.",
        "{name}, {age}, answered prize draw letters by post for months in 2024 and paid a fee each "
        "time. It has stopped since.",
    ),
    ("other", "in_progress"): (
        "{name}, {age}, rings to say that {hers} nephew is in the house now, drunk, hitting the door "
        "and demanding {hers} pension.",
        "Young people are outside {name}'s flat this minute throwing eggs and calling {her} names. "
        "{She} is {age} and afraid.",
        "The carer of {name}, {age}, is going through {hers} drawers right now, I can see it on the camera.",
        "A neighbour is banging on {name}'s door and threatening {her} with a bat because of the "
        "parking. {She} is {age}. He is there now.",
        "{name}'s grandson is at the cash machine with {hers} card at this moment, taking money "
        "without leave. {She} is {age}.",
    ),
    ("other", "imminent"): (
        "{name}, {age}, says {hers} son is coming tonight to take the rest of {hers} savings and has "
        "threatened {her} if there is none.",
        "The lads who use {name}'s flat for dealing are coming back this evening. {She} is {age} and "
        "wants them out.",
        "A former carer told {name}, {age}, that she will be round tomorrow morning for the ring.",
        "{name}'s neighbour shouted that he will smash {hers} windows tonight. {She} is {age}.",
        "The so-called friends of {name}, {age}, are taking {her} to the cash machine tomorrow when "
        "the benefits are paid, as they do each week.",
    ),
    ("other", "recent"): (
        "{name}, {age}, had {hers} handbag snatched at the bus stop yesterday.",
        "The cleaner has been taking small sums from {name}'s purse, the last one this morning. {She} "
        "is {age}.",
        "Somebody spat at {name}, {age}, in the street today and told {her} to go home.",
        "{name}'s shed was broken into last night and the mower is gone. {She} is {age}.",
        "A carer wrote herself a cheque for £200 from {name}'s book on Tuesday, that is yesterday. "
        "{She} is {age}.",
    ),
    ("other", "historic"): (
        "Last year {name}'s nephew used the power of attorney to spend {hers} savings. {She} is {age}.",
        "{name}, {age}, was burgled in the spring while {she} was in hospital.",
        "Some months ago a lodger stole a watch from {name}. {She} is {age} and has only now decided "
        "to say so.",
        "In 2024 {name}, {age}, lent a friend £500 and never saw it again.",
        "A care worker took jewellery from {name}, {age}, two years ago. The agency sacked her.",
    ),
    ("other", "none"): (
        "{name}, {age}, would like to know how to get a no cold calling sticker for the door.",
        "{name} wants to thank the officer who came last week, {she} was very kind. {She} is {age}.",
        "The builder {name} hired through a website was two days late but did a good job. {She} is "
        "{age} and asks whether {she} can get a discount.",
        "{name}, {age}, asks when the bins are collected over Christmas.",
        "The shop would not give {name}, {age}, a refund for a kettle that works but is the wrong colour.",
        "British Gas came to read {name}'s meter by appointment, showed a card and {she} rang to "
        "check: it was right. {She} is {age}.",
    ),
}
