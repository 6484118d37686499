/** The report in a browser: Chromium without a window, driven as a reader would. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { type BenchmarkDocument, compareDocuments, isRefused } from "@capos/bench";
import { formatDuration } from "@capos/bench/quantity";
import { renderReport } from "capos";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import t, { type Test } from "tap";
import { type Drawn, drawnPlots, medians, paper, shown, widths } from "../support/in-page/report.js";
import { earlierDocument, longDocument, reportDocument } from "../support/report.js";

const CHROMIUM = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((file) => file !== undefined && existsSync(file));
const PHONE = { width: 360, height: 740 };
const WHITE = "rgb(255, 255, 255)";
const DESKTOP = { width: 1100, height: 900 };
/** The plots of the fixture: baselines, latency (4), scaling (2), revoke (4), timeline, changes (3). */
const PLOTS = 15;

t.test(
  "the report in a browser",
  { skip: CHROMIUM === undefined && "there is no Chromium: apt-get install chromium" },
  async (t) => {
    const run = reportDocument();
    const file = join(t.testdir(), "report.html");
    writeFileSync(file, renderReport(run, compareDocuments(earlierDocument(), run)));
    const address = pathToFileURL(file).href;
    // Sandboxing needs rights that a container does not give; the page is ours, and may load nothing.
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ["--no-sandbox"] });
    t.teardown(() => browser.close());

    t.test(
      "on a desk, in light: every plot is drawn, and nothing is complained of or asked for",
      async (t) => {
        const { page, troubles, requests } = await open(browser, address, { viewport: DESKTOP });
        checkPlots(t, await page.evaluate(drawnPlots));
        await checkTables(t, page);
        await checkChoices(t, page);
        t.strictSame(troubles, []);
        t.strictSame(requests, [address]);
        await page.close();
      },
    );

    t.test("the dark scheme has other colours, also when it comes while the page is open", async (t) => {
      const { page, troubles } = await open(browser, address, { viewport: DESKTOP });
      const light = await page.evaluate(drawnPlots);
      t.equal((await page.evaluate(paper)).color, WHITE);
      await page.emulateMedia({ colorScheme: "dark" });
      await page.evaluate(shown);
      const dark = await page.evaluate(drawnPlots);
      checkPlots(t, dark);
      t.not((await page.evaluate(paper)).color, WHITE);
      for (const [i, plot] of dark.entries()) t.not(plot.print, light[i].print, plot.id);
      t.strictSame(troubles, []);
      await page.close();
    });

    t.test("on a phone nothing is wider than the screen but tables, which scroll", async (t) => {
      const { page, troubles } = await open(browser, address, {
        viewport: PHONE,
        deviceScaleFactor: 2,
        isMobile: true,
      });
      const { page: width, tables } = await page.evaluate(widths);
      t.equal(width, PHONE.width);
      for (const { content, box, overflow } of tables) t.ok(content > box && overflow === "auto");
      const plots = await page.evaluate(drawnPlots);
      checkPlots(t, plots);
      for (const { id, left, right } of plots)
        t.ok(left >= 0 && right <= PHONE.width, `${id}: ${left} to ${right}`);
      t.strictSame(troubles, []);
      await page.close();
    });

    t.test("a run of thousands of repetitions is drawn too", async (t) => {
      const long = join(t.testdir(), "long.html");
      writeFileSync(long, renderReport(longDocument()));
      const { page, troubles } = await open(browser, pathToFileURL(long).href, { viewport: DESKTOP });
      const plots = await page.evaluate(drawnPlots);
      for (const { id, marks } of plots) t.ok(marks > leastMarks(id), `${id}: ${marks} dots of marks`);
      t.strictSame(troubles, []);
      await page.close();
    });

    t.test("on paper plots are light and fit, whatever the screen was", async (t) => {
      const { page, troubles } = await open(browser, address, { viewport: DESKTOP, colorScheme: "dark" });
      await page.emulateMedia({ media: "print" });
      await page.evaluate(shown);
      const { color, width } = await page.evaluate(paper);
      t.equal(color, WHITE);
      for (const { content } of (await page.evaluate(widths)).tables)
        t.ok(content <= width, `${content} of ${width}`);
      const plots = await page.evaluate(drawnPlots);
      checkPlots(t, plots);
      for (const { id, left, right } of plots) t.ok(right - left <= width, id);
      t.strictSame(troubles, []);
      await page.close();
    });
  },
);

/** A page with the report in it, what it complains of, and what it asks for. */
async function open(browser: Browser, address: string, options: BrowserContextOptions) {
  const page = await browser.newPage(options);
  const troubles: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => troubles.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("request", (request) => {
    // The empty icon is in the page.
    if (!request.url().startsWith("data:")) requests.push(request.url());
  });
  await page.goto(address);
  return { page, troubles, requests };
}

/** Coloured dots of a canvas: a plot of dots has one mark at least, of 250; others have curves or areas, not only ranges. */
function leastMarks(id: string): number {
  return /^(?:baselines|changes)-/.test(id) ? 200 : 1000;
}

function checkPlots(t: Test, plots: readonly Drawn[]): void {
  t.equal(plots.length, PLOTS);
  for (const { id, marks } of plots) t.ok(marks > leastMarks(id), `${id}: ${marks} dots of marks`);
}

/** The tables say what the data in the page says. */
async function checkTables(t: Test, page: Page): Promise<void> {
  const { results } = JSON.parse((await page.textContent("#document"))!) as BenchmarkDocument;
  t.strictSame(
    await page.evaluate(medians),
    results.map((result) => [result.name, isRefused(result) ? "refused" : formatDuration(result.p50)]),
  );
}

/** Another row, another suite: another picture. */
async function checkChoices(t: Test, page: Page): Promise<void> {
  for (const [id, choice] of [
    ["latency-4", "comlink"],
    ["timeline-1", "capability"],
  ] as const) {
    const before = (await page.evaluate(drawnPlots)).find((plot) => plot.id === id)!;
    await page.selectOption(`select[data-plot="${id}"]`, { label: choice });
    const after = (await page.evaluate(drawnPlots)).find((plot) => plot.id === id)!;
    t.not(after.print, before.print, id);
    t.ok(after.marks > leastMarks(id), id);
  }
  t.match(await page.textContent('output[for="latency-4"]'), /^comlink \d/);
  // In the middle: all samples are about their median, so dots are near the line of 1, which is half-way up.
  await page.locator("#timeline-1 .u-over").hover();
  await page.evaluate(shown);
  t.match(await page.textContent('output[for="timeline-1"]'), /^revoke\.\S+, \d\.\d s: (?:0\.9|1\.0)\d×$/);
}
