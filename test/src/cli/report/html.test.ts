import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareDocuments, createDocument, isRefused } from "@capos/bench";
import { formatDuration } from "@capos/bench/quantity";
import { renderReport } from "capos";
import t from "tap";
import { run } from "../../bench/support/document.js";
import { caposSmp } from "../../support/cli-process.js";
import { earlierDocument, HOSTILE_NOTE, machine, reportDocument } from "../support/report.js";

const document = reportDocument();
const page = renderReport(document, compareDocuments(earlierDocument(), document));

function scriptOf(text: string, id: string): string {
  return text.match(new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`, "s"))![1];
}

t.test("the page holds the document as it is, and names nothing to load", async (t) => {
  t.strictSame(JSON.parse(scriptOf(page, "document")), JSON.parse(JSON.stringify(document)));
  const markup = page.replaceAll(/<(script|style)[^>]*>.*?<\/\1>/gs, "");
  t.notMatch(markup, /<[^>]*\s(?:src|srcset|action|data|poster)=/);
  t.strictSame(
    [...markup.matchAll(/\bhref="([^"]*)"/g)].map(([, target]) => target),
    ["data:,"],
  );
  t.notMatch(page.match(/<style>(.*?)<\/style>/s)![1], /@import|url\(/);
});

t.test("the page's policy allows its own script and style sheet, and nothing else", async (t) => {
  const policy = page.match(/Content-Security-Policy" content="([^"]*)"/)![1].replaceAll("&#39;", "'");
  const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  t.match(policy, "default-src 'none'");
  t.ok(policy.includes(`script-src ${hashOf(page.match(/<script>(.*?)<\/script>/s)![1])};`));
  t.ok(policy.includes(`style-src ${hashOf(page.match(/<style>(.*?)<\/style>/s)![1])};`));
});

t.test("what a row says stays text", async (t) => {
  t.notOk(page.includes(HOSTILE_NOTE));
  t.ok(page.includes("&lt;/script&gt;&lt;script&gt;document.title"), "in the table");
  t.ok(scriptOf(page, "document").includes("\\u003c/script>"), "in the data");
});

t.test("the tables have each row's figures, and why a row has none", async (t) => {
  for (const result of document.results) {
    const row = page.match(
      new RegExp(
        `<tr><th scope="row">${result.name.replaceAll(".", "\\.")}</th><td class="word">.*?</tr>`,
        "s",
      ),
    )![0];
    if (isRefused(result)) t.match(row, "refused: unstable overhead");
    else
      for (const figure of [result.min, result.p50, result.p90, result.p99, result.max, result.mean])
        t.ok(row.includes(`>${formatDuration(figure)}</td>`), `${result.name} ${figure}`);
  }
});

t.test("a host that does not tell its CPU is told by its threads alone", async (t) => {
  const nameless = renderReport({ ...document, run: { ...document.run, cpu: "" } });
  t.match(page, "<dt>Host</dt><dd>A CPU, 2 hardware threads</dd>");
  t.match(nameless, "<dt>Host</dt><dd>2 hardware threads</dd>");
});

t.test("a comparison is told in words, in a figure and in a table", async (t) => {
  t.match(page, "1 are slower, 2 faster");
  t.match(page, /Figure 6: Changes/);
  t.match(
    page,
    /<th scope="row">call\.cross-core<\/th><td>[^<]*<\/td><td>[^<]*<\/td>\s*<td class="median">\+\d/,
  );
  const alone = renderReport(document);
  t.notMatch(alone, "Since the earlier run");
});

t.test(
  "figures of which nothing was measured are left out, and the others numbered without a gap",
  async (t) => {
    const ipc = document.results.filter(({ suite }) => suite === "ipc");
    const figures = (text: string) =>
      [...text.matchAll(/Figure (\d): ([^.]*)\./g)].map(([, n, title]) => `${n} ${title}`);
    t.strictSame(figures(renderReport(createDocument(machine, run, ipc))), [
      "1 How latencies are spread",
      "2 Scaling over cores",
      "3 The run over time",
    ]);
    const refused = ipc.filter(isRefused);
    t.equal(refused.length, 1);
    t.strictSame(figures(renderReport(createDocument(machine, run, refused))), []);
  },
);

t.test("report --from writes the page, and never over another file unless told", async (t) => {
  const folder = t.testdir();
  const saved = join(folder, "run.json");
  const out = join(folder, "page.html");
  writeFileSync(saved, JSON.stringify(document));
  const first = await caposSmp(["report", "--from", saved, "--out", out]);
  t.strictSame([first.status, first.stdout, first.stderr], [0, `wrote ${out}\n`, ""]);
  t.equal(readFileSync(out, "utf8"), renderReport(document));

  writeFileSync(out, "mine");
  const again = await caposSmp(["report", "--from", saved, "--out", out]);
  t.equal(again.status, 2);
  t.match(again.stderr, /^capos-smp: .*page\.html exists: .*--force\n$/);
  t.equal(readFileSync(out, "utf8"), "mine");

  const forced = await caposSmp(["report", "ipc", "--from", saved, "--out", out, "--force", "--json"]);
  t.equal(forced.status, 0, forced.stderr);
  const told = JSON.parse(forced.stdout) as typeof document;
  t.ok(told.results.length > 0 && told.results.every(({ suite }) => suite === "ipc"), "only the named suite");
  t.strictSame(JSON.parse(scriptOf(readFileSync(out, "utf8"), "document")), told);
});

t.test("bad input is one line that says what to do, before anything is measured", async (t) => {
  const folder = t.testdir({
    "damaged.json": '{"schema": "capos-bench/4", "machine"',
    "older.json": JSON.stringify({ ...document, schema: "capos-bench/1" }),
    "once.json": JSON.stringify({ ...document, run: { ...document.run, repetitions: 1 } }),
    "run.json": JSON.stringify(document),
  });
  const file = (name: string) => join(folder, name);
  const out = file("page.html");
  const mistakes: [string[], RegExp][] = [
    [["--from", file("none.json")], /none\.json cannot be read: there is no such file/],
    [["--compare", file("damaged.json")], /damaged\.json is damaged/],
    [["--compare", file("older.json")], /older\.json is of an older version/],
    [["--compare", file("run.json"), "--repeat", "2"], /--repeat: a comparison needs at least 4/],
    [
      ["nosuch", "--from", file("run.json")],
      /the saved run has no nosuch, its suites are baseline, ipc, capab/,
    ],
    [["--from", file("run.json"), "--seconds", "1"], /--from.*cannot be used with.*--seconds/],
    // The last of two counts.
    [["--out", file("no/such/folder/page.html")], /page\.html cannot be written: /],
  ];
  const runs = mistakes.map(([args]) => caposSmp(["report", "--out", out, ...args]));
  for (const [i, bad] of (await Promise.all(runs)).entries()) {
    const [args, says] = mistakes[i];
    t.equal(bad.status, 2, args.join(" "));
    t.match(bad.stderr, says);
    t.match(bad.stderr, /^capos-smp: [^\n]*\n$/, "one line");
  }
  t.notOk(existsSync(out));
});
