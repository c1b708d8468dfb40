/** The status page in a real Chromium. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import axe from "axe-core";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { World } from "../../src/simulation/world.ts";
import { mapping } from "../service/fixtures.ts";
import { type Running, withService } from "../service/running.ts";
import { lacks } from "./tool.ts";

const CHROMIUM = "/usr/bin/chromium";

/** As the machine has no sandbox for root, and nobody to call. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
];

/** A name that would break a page that trusts it. */
const HOSTILE = `<img src=x onerror="document.title='hacked'"> \u202egnp.exe`;

const MAPPINGS = [
  mapping("Engineering", "Engineers"),
  mapping("Data Science", "Data Scientists"),
  mapping("On-Call", "SRE"),
  mapping("Missing", "Nobody"),
  mapping(HOSTILE, "Hostile"),
];

/** Everything that a page can show: in sync, pending, on hold, failed. */
function fill(world: World): void {
  const [alice, bob, carol] = ["alice.moore", "bob.stone", "carol.diaz"]
    .map((name) => world.addPerson(`${name}@example.com`));
  if (!alice || !bob || !carol) throw new TypeError("there are three");
  world.okta.addGroup("Engineering", [alice, bob, carol]);
  world.okta.addGroup("Data Science", [carol, world.okta.addUser("new.hire@example.com")]);
  world.okta.addGroup("On-Call", [alice, bob]);
  world.okta.addGroup(HOSTILE, [alice]);
}

/** A service in the third cycle: somebody left, and a group became empty. */
async function advance({ world, cycleEnds, nextCycle }: Running): Promise<void> {
  await cycleEnds();
  const engineering = world.okta.group("Engineering").members;
  const [first] = engineering;
  if (first) engineering.delete(first);
  await nextCycle();
  world.okta.group("On-Call").members.clear();
  await nextCycle();
}

/** What makes the page bring itself up to date: somebody comes back to it. */
const REFRESH = "document.dispatchEvent(new Event('visibilitychange'))";

/** A page, with everything that it complained of. */
interface Opened {
  readonly page: Page;
  readonly complaints: string[];
}

const browser = lacks("chromium")
  ? undefined
  : await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

async function open(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  if (!browser) throw new TypeError("there is no browser");
  const page = await browser.newPage({ viewport: { width: 1_120, height: 900 }, ...options });
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("requestfailed", (request) => complaints.push(request.url()));
  await page.goto(url);
  return { page, complaints };
}

/** A test of the page of a service that has done and left undone all kinds of things. */
function test(
  name: string,
  check: (opened: Opened & { readonly url: string }) => Promise<void>,
  { metrics = {}, options = {} }: {
    readonly metrics?: Readonly<Record<string, unknown>>;
    readonly options?: BrowserContextOptions;
  } = {},
): void {
  Deno.test({
    name,
    ignore: !browser,
    // The browser is one for all tests.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () =>
      withService({ mappings: MAPPINGS, fill, metrics, start: Date.now() }, async (running) => {
        await advance(running);
        const opened = await open(running.url, options);
        try {
          await check({ ...opened, url: running.url });
          assertEquals(opened.complaints, []);
        } finally {
          await opened.page.close();
        }
      }),
  });
}

/** What the elements show, with single blanks. */
const texts = async (page: Page, selector: string) =>
  (await page.locator(selector).allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " "));

test("a look tells how everything is, what needs somebody first, and what to do", async ({ page }) => {
  assertEquals(await page.title(), "degraded · gots");
  assertEquals(await texts(page, ".overall"), [
    "degraded 1 of 5 mappings failed in their last sync (Missing->Nobody), " +
    "1 waiting for your decision (On-Call->SRE): see the log",
  ]);
  assertEquals((await texts(page, ".mapping h3")).slice(0, 4), [
    "Missing → into team Nobody",
    "On-Call → into team SRE",
    "Engineering → into team Engineers",
    "Data Science → into team Data Scientists",
  ]);
  const [missing, onCall, engineering, science] = await texts(page, ".mapping");
  assertMatch(
    missing ?? "",
    /failed out of sync since startup, 10 min ago.*Group not found: Missing: check the exact/,
  );
  assertMatch(onCall ?? "", /on hold out of sync for 5 min.*2 changes on hold \(empty-group\)/);
  assertMatch(engineering ?? "", /in sync checked now/);
  assertMatch(science ?? "", /1 member pending: Grafana does not know them yet/);
});

test("recent changes name who, what, where and why, the newest first", async ({ page }) => {
  const changes = await texts(page, ".change");
  assertMatch(
    changes[0] ?? "",
    /bob\.stone@example\.com on hold: not removed from SRE not in Okta group 'On-Call'.* cycle 3/,
  );
  assertMatch(
    changes[2] ?? "",
    /alice\.moore@example\.com removed from Engineers not in Okta group 'Engineering'.* cycle 2/,
  );
  assertMatch(changes.at(-1) ?? "", /team created: Engineers mapped from Okta group 'Engineering'.* cycle 1/);
});

test("a note opens by keyboard, and says why and who", async ({ page }) => {
  await page.locator("#on-hold-2 summary").focus();
  await page.keyboard.press("Enter");
  const [note = ""] = await texts(page, "#on-hold-2");
  assertMatch(note, /is empty; if that is intended, set allow_empty: true/);
  assertMatch(note, /alice\.moore@example\.com.*bob\.stone@example\.com/);
});

for (const javaScriptEnabled of [true, false]) {
  test(
    `the filter finds a team, a group and a person, ${javaScriptEnabled ? "with" : "without"} JavaScript`,
    async ({ page }) => {
      for (
        const [wanted, mappings] of [["scient", 1], ["on-call", 1], ["NEW.HIRE", 1], [
          "nobody at all",
          0,
        ]] as const
      ) {
        await page.getByLabel("Team, group or person").fill(wanted);
        await page.keyboard.press("Enter");
        await page.waitForURL(({ searchParams }) => searchParams.get("q") === wanted);
        assertEquals(await page.locator(".mapping").count(), mappings, wanted);
      }
      assertMatch(
        await page.locator("main").innerText(),
        /No mapping and no change has “nobody at all” in it/,
      );
      await page.getByRole("link", { name: "Show all" }).click();
      await page.waitForURL(/\?$/);
      assertEquals(await page.locator(".mapping").count(), MAPPINGS.length);
    },
    { options: { javaScriptEnabled } },
  );
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1_120, 320]) {
    test(`nothing stands in anybody's way: axe-core, ${colorScheme}, ${width} px`, async ({ page }) => {
      const folder = Deno.env.get("SCREENSHOTS");
      if (folder) await page.screenshot({ path: `${folder}/status-${colorScheme}-${width}.png` });
      for (const summary of await page.locator("summary").all()) await summary.click();
      await page.evaluate(axe.source);
      const found = await page.evaluate(() =>
        (globalThis as unknown as { axe: typeof axe }).axe.run({
          runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        })
      );
      assertEquals(found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
      assert(found.passes.length > 20, "the rules were applied");
      const scrollWidth = await page.evaluate<number>("document.documentElement.scrollWidth");
      assert(scrollWidth <= width, `the page is ${scrollWidth} px wide`);
    }, { options: { colorScheme, viewport: { width, height: 900 } } });
  }
}

test("dark is dark and light is light", async ({ page }) => {
  const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
  await page.emulateMedia({ colorScheme: "light" });
  const light = await background();
  await page.emulateMedia({ colorScheme: "dark" });
  assertEquals([light, await background()], ["rgb(246, 247, 249)", "rgb(17, 20, 24)"]);
});

test("a hostile name is shown as it is, and does nothing", async ({ page }) => {
  const [shown] = await texts(page, ".mapping h3 bdi:text('onerror')");
  assertEquals(shown, HOSTILE.replace("\u202e", "\\u202e"));
  assertEquals([await page.locator("img").count(), await page.title()], [0, "degraded · gots"]);
});

test("the page brings itself up to date, and leaves alone what is open", async ({ page, url }) => {
  await page.locator("#on-hold-2 summary").click();
  await page.evaluate("document.querySelector('h1').replaceChildren('old')");
  await page.evaluate(REFRESH);
  await page.locator("h1", { hasText: "degraded" }).waitFor();
  assertEquals(await page.locator("#on-hold-2").getAttribute("open"), "");
  assertEquals(page.url(), `${url}/`);
});

test("the page says so when the service does not answer any more", async ({ page, complaints }) => {
  await page.route("**/*", (route) => route.abort());
  await page.evaluate(REFRESH);
  await page.getByText("The service does not answer: what you see is from").waitFor();
  complaints.length = 0;
});

test("where everybody may look, no person is named, not even by the filter", async ({ page, url }) => {
  assert(!(await page.content()).includes("@example.com"));
  const [main = ""] = await texts(page, "main");
  assertStringIncludes(main, "Somebody removed from Engineers");
  assertStringIncludes(main, "People are not shown.");
  await page.goto(`${url}/?q=new.hire`);
  assertEquals(await page.locator(".mapping").count(), 0);
}, { metrics: { show_users: false } });

test("with a token a browser is asked for it, and it is let in", async ({ page }) => {
  assertEquals(await page.title(), "degraded · gots");
  assert((await page.content()).includes("@example.com"));
}, {
  metrics: { token: "0123456789abcdef" },
  options: { httpCredentials: { username: "anybody", password: "0123456789abcdef" } },
});

Deno.test({
  name: "the browser is closed",
  ignore: !browser,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => await browser?.close(),
});
