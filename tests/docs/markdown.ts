/** Reads the project's Markdown: its files, its links, its headings. */

const ROOT = new URL("../../", import.meta.url);

/** A file of the project. */
export interface MarkdownFile {
  /** From the project's root, such as `docs/OKTA_SETUP.md`. */
  readonly path: string;
  readonly text: string;
}

/** A link's target as it is written, such as `OKTA_SETUP.md#what-refusals-mean`. */
export type Target = string;

/** Every Markdown file of the project, or those under `folder`, which ends with a slash. */
export async function readMarkdown(folder = ""): Promise<MarkdownFile[]> {
  const files: MarkdownFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (/^(\.git|\.jj|dist|node_modules)$/.test(name)) continue;
    const path = folder + name;
    if (isDirectory) files.push(...await readMarkdown(`${path}/`));
    else if (name.endsWith(".md")) files.push({ path, text: await Deno.readTextFile(new URL(path, ROOT)) });
  }
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

const FENCED = /^( *)(```+|~~~+).*\n[^]*?^\1\2 *$/gm;

function withoutCode(text: string): string {
  return text.replaceAll(FENCED, "").replaceAll(/(`+)[^`\n][^\n]*?\1/g, "`");
}

/** What a text links to, outside of code. */
export function linksOf(text: string): Target[] {
  const prose = withoutCode(text);
  const patterns = [
    /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g,
    /^ *\[[^\]^]+\]: *<?([^\s>]+)/gm,
    /<(?:a|img)\b[^>]*\b(?:href|src)="([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) => Array.from(prose.matchAll(pattern), ([, target = ""]) => target));
}

/** The headings of a level, or of every level, as they are written. */
export function headingsOf(text: string, level?: number): string[] {
  const marks = level === undefined ? "#{1,6}" : `#{${level}}`;
  const prose = text.replaceAll(FENCED, "");
  return Array.from(prose.matchAll(new RegExp(`^${marks} +(.+?) *#*$`, "gm")), ([, title = ""]) => title);
}

/** The anchors that GitHub gives to a text's headings, and those that it sets itself. */
export function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const slugs = headingsOf(text).map((title) => {
    const words = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "").replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  return new Set([...slugs, ...Array.from(text.matchAll(/\b(?:id|name)="([^"]+)"/g), ([, id = ""]) => id)]);
}

/** Why a link of `file` leads nowhere; `undefined` if it leads somewhere, or out of the project. */
export async function findBroken({ path, text }: MarkdownFile, target: Target): Promise<string | undefined> {
  if (/^[a-z][a-z\d+.-]*:/i.test(target)) return undefined;
  const [file = "", anchor] = target.split("#");
  const url = new URL(file === "" ? path : file, new URL(path, ROOT));
  const broken = (why: string) => `${path}: ${target}: ${why}`;
  if (!url.href.startsWith(ROOT.href)) return broken("outside of the project");
  const where = file === "" ? new URL(path, ROOT) : url;
  const found = await Deno.stat(where).catch(() => undefined);
  if (!found) return broken("no such file");
  if (anchor === undefined || !where.pathname.endsWith(".md")) return undefined;
  const there = file === "" ? text : await Deno.readTextFile(where);
  return anchorsOf(there).has(decodeURIComponent(anchor)) ? undefined : broken("no such heading");
}
