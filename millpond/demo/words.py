"""Invented companies, people and sentences in Chinese and English.  The same seed gives the same words."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from faker import Faker

TRADES: dict[str, tuple[str, str]] = {
    "retail": ("商贸 百货 电子商务 供应链", "Trading|Stores|Commerce|Retail"),
    "internet": ("科技 网络 信息技术 数字科技", "Software|Digital|Networks|Labs"),
    "manufacturing": ("机械 精密制造 电器 模具", "Machinery|Tools|Components|Works"),
    "steel": ("钢铁 金属材料 冶金", "Steel|Metals|Foundry"),
    "construction": ("建设工程 置业 建筑装饰", "Construction|Homes|Builders"),
    "finance": ("投资 融资租赁 保险经纪", "Capital|Leasing|Insurance"),
    "healthcare": ("医药 医疗器械 生物科技", "Medical|Pharma|Health"),
    "education": ("教育科技 培训 文化教育", "Learning|Academy|Education"),
    "logistics": ("物流 国际货运 速运", "Logistics|Freight|Express"),
    "energy": ("新能源 电力设备 环保工程", "Energy|Solar|Environmental"),
    "food": ("食品 餐饮管理 饮品", "Foods|Catering|Beverages"),
    "agriculture": ("农业发展 种业 牧业", "Farms|Seeds|Dairy"),
    "travel": ("旅游 酒店管理", "Travel|Hotels"),
    "media": ("文化传媒 广告", "Media|Studios"),
    "services": ("企业管理咨询 人力资源 商务服务", "Consulting|Partners|Services"),
}
CITIES: dict[str, str] = {
    "north": "北京 天津 石家庄 太原 唐山",
    "east": "上海 杭州 苏州 南京 宁波 无锡 合肥 济南 青岛",
    "south": "广州 深圳 佛山 东莞 厦门 南宁",
    "central": "武汉 长沙 郑州 洛阳",
    "northeast": "沈阳 大连 长春 哈尔滨",
    "southwest": "成都 重庆 昆明 贵阳",
    "northwest": "西安 兰州 银川",
    "hmt": "香港 澳门",
    "overseas": "Singapore|London|Manchester|Toronto|Chicago|Sydney|Dublin|Seattle",
}
_BRAND = "华盛宏远恒信瑞丰泰和正德明达嘉禾天成博雅金鼎新源海纳百川云帆启航东方南岭北辰中科众诚锦程"
_FORMS = ("有限公司", "有限公司", "有限公司", "股份有限公司", "集团有限公司")
_ENGLISH_FORMS = ("Ltd", "Ltd", "Inc", "Group", "LLC", "plc")
_TITLES = ("总经理 副总经理 采购经理 采购主管 财务经理 运营总监 技术负责人 行政主管 厂长", "CEO|COO|Head of Purchasing|"
           "Buyer|Finance Manager|Operations Director|IT Manager|Office Manager|Plant Manager")  # fmt: skip
_THINGS = ("仓储管理系统|门店收银设备|生产排程软件|条码打印机|冷链运输监控|办公协作平台|数据分析看板|车间传感器|会员营销工具",
           "warehouse software|checkout terminals|production planning|label printers|cold chain monitoring|"
           "a team workspace|reporting dashboards|shop-floor sensors|a loyalty programme")  # fmt: skip
_NEEDS = ("计划更换{thing}，预算约{n}万元|对比三家{thing}供应商，希望下月试用|需要{thing}，要求两周内交付|现有{thing}合同年底到期，考虑更换|"
          "新厂投产，需要{n}套{thing}|先做{thing}试点，满意后推广到{n}家分公司",
          "Wants to replace {thing}, budget about {n}0,000|Comparing three offers for {thing}, trial next month|"
          "Needs {thing} within two weeks|Contract for {thing} ends in December, open to change|"
          "Opens {n} new sites and needs {thing}|Pilot for {thing} first, then {n} branches")  # fmt: skip
_DONE = ("电话沟通，客户对{thing}感兴趣，约下周演示|上门拜访，见到采购负责人，已留下{thing}资料|发送报价，等待回复|客户反馈预算推迟到下季度|"
         "演示{thing}，技术部提出{n}个问题，已记录|微信联系，确认收货地址与交期|客户询问{thing}售后条款，已答复|未接通，改日再联系",
         "Called: interested in {thing}, demo next week|Visited the buyer and left the brochure on {thing}|"
         "Sent the offer, waiting for an answer|Budget moved to the next quarter|"
         "Showed {thing}; {n} technical questions noted|Confirmed delivery address and date|"
         "Asked about service terms for {thing}, answered|No answer, will try again")  # fmt: skip
_REMARKS = ("老板直接决策|付款周期较长，需提前确认|只接受工作日上午联系|与我司有过合作|价格敏感", "Owner decides|Pays late, agree on "
            "terms first|Mornings only|Bought from us before|Price matters most")  # fmt: skip


@dataclass(frozen=True)
class Company:
    """One invented company; `domain` is of the kind that never exists."""

    chinese: bool
    name: str
    industry: str
    region: str
    city: str
    domain: str


class Words:
    """Everything that is said and called in the demo, out of one random source."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        chinese, english = Faker("zh_CN"), Faker("en_US")
        chinese.seed_instance(20260101)
        english.seed_instance(20260101)
        self._names = [chinese.name() for _ in range(2000)], [english.name() for _ in range(1200)]
        self._streets = [chinese.street_name() for _ in range(300)], [english.street_name() for _ in range(300)]
        self._surnames = sorted({english.last_name() for _ in range(600)})

    def company(self) -> Company:
        chinese = self.rng.random() < 0.7
        industry = self.pick(list(TRADES))
        region = self.pick([region for region in CITIES if region != "overseas"]) if chinese else "overseas"
        city = self._one(CITIES[region])
        trade = self._one(TRADES[industry][0 if chinese else 1])
        if chinese:
            name = f"{city}{''.join(self.rng.sample(_BRAND, 2))}{trade}{self.pick(_FORMS)}"
        else:
            name = f"{self.pick(self._surnames)} {trade} {self.pick(_ENGLISH_FORMS)}"
        domain = f"{trade.split()[0].lower() if not chinese else industry}{self.rng.randrange(10**5)}.example"
        return Company(chinese, name, industry, region, city, domain)

    def person(self, company: Company) -> str:
        return self.pick(self._names[0 if company.chinese else 1])

    def title(self, company: Company) -> str:
        return self._say(_TITLES, company)

    def mobile(self, company: Company) -> str:
        if company.chinese:
            return f"1{self.pick('3578')}{self.rng.randrange(10**9):09d}"
        return f"+1 {self.rng.randrange(201, 990)} 555 01{self.rng.randrange(100):02d}"

    def line(self, company: Company) -> str:
        """The company's own number."""
        if company.chinese:
            return f"0{self.rng.randrange(10, 999)}-{self.rng.randrange(2 * 10**7, 9 * 10**7)}"
        return f"+44 20 7946 0{self.rng.randrange(1000):03d}"

    def email(self, company: Company, name: str) -> str:
        if name.isascii():
            return f"{name.lower().replace(' ', '.')}@{company.domain}"
        return f"{self.pick('abcdefghjklmnpqrstuvwxyz')}{self.rng.randrange(10**4)}@{company.domain}"

    def address(self, company: Company) -> str:
        number = self.rng.randrange(1, 400)
        if company.chinese:
            return f"{company.city}{'' if company.region == 'hmt' else '市'}{self.pick(self._streets[0])}{number}号{self.rng.randrange(1, 30)}层"
        return f"{number} {self.pick(self._streets[1])}, {company.city}"

    def need(self, company: Company) -> str:
        return self._say(_NEEDS, company)

    def done(self, company: Company) -> str:
        return self._say(_DONE, company)

    def remark(self, company: Company) -> str:
        return self._say(_REMARKS, company)

    def thing(self, company: Company) -> str:
        return self._say(_THINGS, company)

    def birthday(self) -> date:
        return date(1965, 1, 1) + timedelta(days=self.rng.randrange(13_000))

    def pick(self, some: "list[str] | tuple[str, ...] | str") -> str:
        return some[int(self.rng.random() * len(some))]

    def _one(self, words: str) -> str:
        return self.pick(words.split("|") if "|" in words else words.split())

    def _say(self, both: tuple[str, str], company: Company) -> str:
        said = self._one(both[0] if company.chinese else both[1])
        if "{" not in said:
            return said
        thing = self.pick(_THINGS[0 if company.chinese else 1].split("|"))
        return said.format(thing=thing, n=self.rng.randrange(2, 30))
