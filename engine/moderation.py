"""A screen of texts by a few rules, in English and Russian. It is no classifier: it knows these words and no others.

A category is flagged when one of its rules is found in the text, or when a category below it is flagged.
"""

import re

MODEL = "coursetune-rules-1"

PLAN = r"i('ll| will|'m going to| am going to|'m gonna| want to| plan to)"
HOW = r"how (do i|can i|do you|could i|would i|to)"
GROUPS = (
    r"(jews|muslims|christians|blacks|whites|asians|arabs|gays|lesbians|immigrants|refugees|women|gypsies)"
)
GROUPS_RU = r"(евре\w+|мусульман\w*|христиан\w*|негр\w*|цыган\w*|мигрант\w*|геев|геи|женщин\w*)"
CHILD = r"(child(ren)?|kids?|kiddie|minors?|underage|preteens?|toddlers?|детск\w+|ребен\w+|ребён\w+|дет(и|ей|ьми))"
SEX = r"(porn\w*|nudes|naked (pics|pictures|photos)|sex (pics|pictures|videos?)|sex with|порно\w*|секс с)"

RULES = {
    "harassment": [
        r"you('re| are) (\w+ ){0,3}(idiot|moron|worthless|pathetic|stupid|scum|trash|loser)",
        r"(fuck|screw) you",
        r"(ты|вы) (\w+ ){0,2}(идиот\w*|дур(а|ак|аки)|туп(ой|ая|ые)|ничтожеств\w*|мраз\w+)",
    ],
    "harassment/threatening": [
        rf"{PLAN} (kill|murder|hurt|beat|stab|shoot|find and hurt) (you|your family)",
        r"(я )?(тебя|вас) (убью|изобью|зарежу|застрелю)|(убью|изобью|зарежу|застрелю) (тебя|вас)",
    ],
    "hate": [
        rf"{GROUPS} are (\w+ )?(vermin|animals|subhuman|parasites|inferior|scum|rats|filth)",
        rf"{GROUPS_RU} (это )?(\w+ )?(паразит\w*|недочеловек\w*|скот\w*|отброс\w*|крыс\w+)",
    ],
    "hate/threatening": [
        rf"(let's|we should|we must|{PLAN}) (kill|exterminate|gas|hang|shoot) (all )?(the )?{GROUPS}",
        rf"(death to|смерть) (all )?({GROUPS}|{GROUPS_RU})|(убить|уничтожить|бей) (всех )?{GROUPS_RU}",
    ],
    "illicit": [
        rf"{HOW} (shoplift|launder money|forge (a|an|my) |steal (a|from)|cook meth|make meth|buy cocaine)",
        rf"{HOW} hack (into )?(someone|somebody|my (ex|neighbou?r|boss|teacher))",
        r"как (украсть|отмыть деньги|подделать (паспорт|подпись|диплом)|сварить (мет|мефедрон)|взломать чуж\w+)",
    ],
    "illicit/violent": [
        rf"{HOW} (make|build) (a |an )?(\w+ )?(bomb|molotov( cocktail)?|nerve agent|explosives?)",
        rf"{HOW} (buy|get) (a |an )?(illegal|untraceable) (gun|firearm|weapon)",
        r"как (сделать|собрать) (\w+ )?(бомбу|взрывчатку|взрывное устройство)",
    ],
    "self-harm": [
        r"(cut|cutting|hurt|hurting|starve|starving|kill|killing) myself",
        r"(резать|режу|убить|убью) себя|покончить с собой",
    ],
    "self-harm/intent": [
        rf"({PLAN}|i'd rather) (die|kill myself|end my life|hurt myself|cut myself|commit suicide)",
        r"(хочу|собираюсь|решила?) (умереть|убить себя|покончить с собой|порезать себя)",
    ],
    "self-harm/instructions": [
        rf"{HOW} (kill|hurt|cut|starve|hang) myself|{HOW} commit suicide",
        r"(painless|easiest|quickest|best) way to (die|kill (myself|yourself)|commit suicide)",
        r"как (лучше |быстро |безболезненно )?(убить себя|покончить с собой|умереть)",
    ],
    "sexual": [
        r"(porn|porno|pornographic|blow ?jobs?|hardcore sex|send nudes|sex chat|sext|sexting)",
        rf"{PLAN} (fuck|have sex with)",
        r"порно\w*|(пришли|скинь) интим\w*|хочу (с тобой секса|тебя трахнуть)",
    ],
    "sexual/minors": [
        rf"{CHILD} (\w+ ){{0,2}}{SEX}|{SEX} (\w+ ){{0,2}}{CHILD}",
    ],
    "violence": [
        rf"{PLAN} (kill|murder|stab|shoot|behead|strangle|beat up) (you|him|her|them|everyone|everybody|people|my)",
        r"(shoot|blow) up (the|a|my) (school|office|church|mosque|synagogue)",
        r"(хочу|собираюсь|буду) (убить|убивать|зарезать|застрелить|взорвать)|(я )?(его|ее|её|их|всех) убью",
    ],
    "violence/graphic": [
        r"(guts|intestines|brains|entrails) (\w+ ){0,2}(spill\w*|splatter\w*|hang\w* out)",
        r"blood (\w+ ){0,2}(gush\w*|spurt\w*|splatter\w*)|(disembowel|dismember)(s|ed|ing|led|ling)?",
        r"(кишки|мозги) (\w+ ){0,2}(вывал\w+|разлет\w+)|кровь (\w+ ){0,2}(хлещ\w+|хлынул\w+|брызн\w+)|расчлен\w+",
    ],
}  # fmt: skip
FOUND = {
    category: re.compile("|".join(rf"\b(?:{rule})\b" for rule in rules)) for category, rules in RULES.items()
}


def screen(text):
    """The names of the flagged categories."""
    plain = " ".join(text.lower().replace("\u2019", "'").split())
    found = {category for category, pattern in FOUND.items() if pattern.search(plain)}
    return found | {category.partition("/")[0] for category in found}
