// The words of the page. Sentences of Millpond come from Millpond, in the same language.
const WORDS = {
  en: { login: "Sign-in name", password: "Password", signIn: "Sign in", signOut: "Sign out", pool: "Pool",
    number: "Number", name: "Name", region: "Region", claim: "Claim", empty: "No customers are waiting here.",
    claimed: (name: string) => `${name} is yours.`, failed: "Millpond cannot be reached. Try again." },
  zh: { login: "账号", password: "密码", signIn: "登录", signOut: "退出登录", pool: "公海",
    number: "编号", name: "名称", region: "地区", claim: "领取", empty: "这里没有待领取的客户。",
    claimed: (name: string) => `${name}已归您所有。`, failed: "无法连接 Millpond，请重试。" },
};
export let words = WORDS.en;

/** Before sign-in the browser's language, as Millpond takes it from Accept-Language; then the account's. */
export function speak(language: string): void {
  const isChinese = /^zh/i.test(language || navigator.language);
  words = isChinese ? WORDS.zh : WORDS.en;
  document.documentElement.lang = isChinese ? "zh" : "en";
}
