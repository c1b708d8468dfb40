/** What the status page brings with it. Nothing is loaded from anywhere else. */

/** Its look, in light and dark, from 320 px on. Contrasts are at least those of WCAG 2.2 AA. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f6f7f9, #111418);
  --card: light-dark(#ffffff, #1a1f25);
  --line: light-dark(#dfe3e8, #2d343c);
  --text: light-dark(#1b2127, #e6eaee);
  --soft: light-dark(#56616c, #9aa6b2);
  --good: light-dark(#0b6b3a, #5fd394);
  --warn: light-dark(#8a5300, #f0b657);
  --bad: light-dark(#b3261e, #ff8a80);
  --good-back: light-dark(#e3f4ea, #15301f);
  --warn-back: light-dark(#fdf1dc, #33270f);
  --bad-back: light-dark(#fce8e6, #3a1a18);
  --accent: light-dark(#0b57d0, #8ab4f8);
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 70rem;
  background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, p, dl, dd, ul, ol { margin: 0; padding: 0; }
ul, ol { list-style: none; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip, .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.skip:focus { position: static; width: auto; height: auto; clip-path: none; }
header { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; margin-bottom: .75rem; }
.name { font-weight: 700; font-size: 1.25rem; }
.purpose, .hint, .made, footer, .detail, .when, .why { color: var(--soft); }
.overall { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; padding: 1rem 1.25rem; border-radius: 12px; }
.overall h1 { font-size: 1.5rem; line-height: 1.2; }
.overall h1::before { content: ""; display: inline-block; width: .65em; height: .65em; margin-right: .5em; border-radius: 50%; background: currentColor; }
.overall p { flex: 1 1 18rem; }
.overall.healthy { background: var(--good-back); } .overall.healthy h1 { color: var(--good); }
.overall.degraded { background: var(--warn-back); } .overall.degraded h1 { color: var(--warn); }
.overall.failing, .overall.unhealthy { background: var(--bad-back); }
.overall.failing h1, .overall.unhealthy h1 { color: var(--bad); }
.banner, .stale { margin-top: .75rem; padding: .75rem 1.25rem; border-radius: 12px; background: var(--warn-back); color: var(--warn); font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: .75rem; margin: .75rem 0; }
.tiles > div { padding: .75rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tiles dt { color: var(--soft); font-size: .875rem; }
.value { display: block; font-size: 1.375rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.detail { font-size: .8125rem; }
.tiles .bad .value { color: var(--bad); }
.filter { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 1.25rem 0 .5rem; }
.filter input { flex: 1 1 12rem; min-width: 0; }
input, button { font: inherit; color: inherit; padding: .4rem .75rem; border: 1px solid var(--soft); border-radius: 8px; background: var(--card); }
button { cursor: pointer; }
h2 { font-size: 1.125rem; margin: 1.5rem 0 .5rem; }
.mappings { display: grid; gap: .5rem; }
.mapping { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 4fr) minmax(0, 6fr); gap: .25rem 1rem; align-items: center; padding: .75rem 1rem; background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--good); border-radius: 10px; }
.mapping.waiting { border-left-color: var(--soft); }
.mapping.out_of_sync, .mapping.on_hold { border-left-color: var(--warn); }
.mapping.failed { border-left-color: var(--bad); }
.mapping h3 { font-size: 1rem; }
.arrow { color: var(--soft); font-weight: 400; }
.state { font-size: .9375rem; color: var(--soft); }
.word { font-weight: 600; color: var(--good); }
.waiting .word { color: var(--soft); } .out_of_sync .word, .on_hold .word { color: var(--warn); } .failed .word { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: .25rem .5rem; }
.figures dt { color: var(--soft); font-size: .75rem; overflow-wrap: normal; }
.figures dd { font-weight: 600; font-variant-numeric: tabular-nums; }
.figures .none { color: var(--soft); font-weight: 400; }
.note { grid-column: 1 / -1; font-size: .9375rem; }
.note summary { cursor: pointer; }
.note.error { padding: .5rem .75rem; border-radius: 8px; background: var(--bad-back); }
.people { display: flex; flex-wrap: wrap; gap: .25rem .75rem; padding: .25rem 0 .25rem 1.1rem; }
.changes { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.change { display: grid; grid-template-columns: 1.5rem minmax(0, 1fr) auto; gap: 0 .5rem; padding: .5rem 1rem; }
.change + .change { border-top: 1px solid var(--line); }
.sign { font-weight: 700; color: var(--soft); }
.add .sign, .join_organisation .sign { color: var(--good); } .remove .sign, .leave_organisation .sign { color: var(--bad); }
.failed .what { color: var(--bad); } .on_hold .what, .planned .what { color: var(--warn); }
.why { display: block; font-size: .875rem; }
.when { font-size: .875rem; text-align: right; }
.made { margin-top: 1rem; font-size: .875rem; }
footer { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; margin-top: 1rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: .875rem; }
@media (max-width: 48rem) {
  .mapping { grid-template-columns: minmax(0, 1fr); }
  .figures { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .change { grid-template-columns: 1.5rem minmax(0, 1fr); }
  .when { grid-column: 2; text-align: left; }
}
`;

/** Brings the page up to date now and then, and leaves alone what the reader is using. */
export const SCRIPT = `
const EVERY_MS = 30_000;
const pause = document.getElementById("pause");
let isPaused = false;

async function refresh() {
  const active = document.activeElement;
  if (isPaused || document.hidden || active?.id === "q" || !getSelection().isCollapsed) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) throw new Error(answer.statusText);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = next.querySelector("main");
    for (const { id } of document.querySelectorAll("details[open]")) main.querySelector("#" + id)?.setAttribute("open", "");
    document.querySelector("main").replaceWith(main);
    document.title = next.title;
    if (active?.closest("details")?.id) document.getElementById(active.closest("details").id)?.firstElementChild.focus();
  } catch {
    document.getElementById("stale").hidden = false;
  }
}

pause.hidden = false;
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
});
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY_MS);
`;

/** Its icon: two circles that are one. */
export const ICON =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="12" cy="16" r="9" fill="#0b57d0"/><circle cx="20" cy="16" r="9" fill="#f46800" fill-opacity=".8"/></svg>`;
