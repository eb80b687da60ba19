"""What stands in the cells and in the replies of the pictures: made up, in each language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Texts of one language.

    Attributes
    ----------
    hero, story, told
        Whom the story is about, what is asked for, and the reply as far as the picture shows it.
    question, answers
        What three models are asked, and what the first two have said so far.
    thought
        What the third one thinks before it answers.
    haiku
        What a model that does not exist is asked.
    cities, degrees, warmer, said
        A function's documentation, its values, the question, and the reply.
    customer, praise
        What is asked about each row of a table; its rows, each with its stars and its topic.
    stars
        What the models of a trial are asked about each of these rows.

    """

    hero: str
    story: str
    told: str
    question: str
    answers: Sequence[str]
    thought: str
    haiku: str
    cities: str
    degrees: Mapping[str, float]
    warmer: str
    said: str
    customer: str
    praise: Sequence[tuple[str, int, str]]
    stars: str


ENGLISH = Words(
    hero="a fox who could count",
    story="Tell me a short story about {{ hero }}, and end with a table of what was counted.",
    told="""## The fox who could count

Rowan counted everything: the steps down to the river, the stars above the hill, and the hens of the
farm, which she only ever *counted*.

One snowy night the shepherd had lost his flock, and could not say how many were gone. “**Seventeen** are
here,” said Rowan from the wall. “So three are missing.” She followed their tracks and brought them home, one
by one.

| what she counted | how many |
| --- | ---: |
| steps down to the river | 212 |
| sheep, by the morning | 20 |
| hens, all of them still there | """,
    question="Tea or coffee, for a rainy afternoon? Two sentences.",
    answers=[
        "**Tea.** A pot lasts as long as the rain does, and nobody ever hurried over a second cup.",
        "**Coffee**, because grey light makes you sleepy. Put a spoonful of cocoa into it, and the",
    ],
    thought=(
        "Both are warm, so warmth decides nothing. A rainy afternoon is long, and much caffeine late in the "
        "day spoils the night. Still, the question is about"
    ),
    haiku="Write a haiku about autumn.",
    cities="Return the temperature in a city, in degrees Celsius.",
    degrees={"Lisbon": 21.0, "Oslo": 4.0},
    warmer="How much warmer is Lisbon than Oslo today, and what should I pack?",
    said=(
        "It is **17 °C warmer** in Lisbon (21 °C) than in Oslo (4 °C).\n\n"
        "1. A light jacket for the evenings in Lisbon.\n2. For Oslo, a warm coat, gloves and"
    ),
    customer="What does this customer think? {{ text }}",
    praise=[
        ("Arrived a day early, works perfectly.", 5, "delivery"),
        ("The handle wobbled from the start.", 2, "quality"),
        ("Great sound for the money.", 4, "price"),
        ("It leaks, and nobody answers my mails.", 1, "service"),
        ("Fine, but I expected a bit more.", 3, "quality"),
        ("Oh great, another charger that does not charge.", 1, "quality"),
    ],
    stars="How many stars does this customer give? {{ text }}",
)

CHINESE = Words(
    hero="一只会数数的狐狸",
    story="讲一个关于{{ hero }}的小故事，最后用表格列出数过的东西。",
    told="""## 会数数的狐狸

阿九什么都数：到河边的台阶，山坡上的星星，还有农场里的母鸡——当然，*只是数一数*。

一个雪夜，牧羊人的羊走散了，谁也说不清少了几只。“这里有**十七只**，”阿九蹲在墙头说，“还差三只。”她循着雪地里的蹄印，把它们一只一只领回了家。

| 数过的东西 | 数量 |
| --- | ---: |
| 到河边的台阶 | 212 |
| 天亮时的羊 | 20 |
| 母鸡，一只也没少 | """,
    question="下雨的午后，喝茶还是喝咖啡？请用两句话回答。",
    answers=[
        "**喝茶**：一壶茶能陪你等到雨停，而且从来没有人会急着喝第二杯。",
        "**喝咖啡**，因为阴天的光线容易让人犯困。再加一勺可可，整个下午",
    ],
    thought="两样都是热的，所以冷暖决定不了什么。雨天的午后很长，太晚摄入咖啡因又会影响睡眠。不过，这个问题问的其实是",
    haiku="写一首关于秋天的俳句。",
    cities="返回一个城市的气温，单位为摄氏度。",
    degrees={"三亚": 26.0, "哈尔滨": -9.0},
    warmer="今天三亚比哈尔滨暖和多少？出门该带什么？",
    said=(
        "三亚（26 °C）比哈尔滨（−9 °C）**暖和 35 °C**。\n\n"
        "1. 去三亚：一件薄外套就够了，别忘了防晒霜。\n2. 去哈尔滨：厚羽绒服、手套和"
    ),
    customer="这位顾客怎么看？{{ text }}",
    praise=[
        ("提前一天送到，用起来很顺手。", 5, "物流"),
        ("手柄从第一天起就是松的。", 2, "质量"),
        ("这个价钱，音质相当不错。", 4, "价格"),
        ("漏水，发邮件也没人理。", 1, "服务"),
        ("还行，不过我期望更高一点。", 3, "质量"),
        ("真棒，又一个充不了电的充电器。", 1, "质量"),
    ],
    stars="这位顾客会打几颗星？{{ text }}",
)

WORDS: Mapping[Language, Words] = {"en": ENGLISH, "zh": CHINESE}
