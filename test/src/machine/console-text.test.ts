/** What a guest writes to a terminal: its text and colours, and nothing else that a terminal obeys. */
import { ConsoleText } from "@capos/machine";
import fc from "fast-check";
import t from "tap";

const ESC = "\x1b";
const RESET = `${ESC}[0m`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const COLOUR = /\x1b\[[0-9;:]*m/g;

const shown = (line: string): string => new ConsoleText().line(line);

/** What is written, and what of it is left. */
const LINES: Readonly<Record<string, readonly [string, string]>> = {
  "plain text": ["naïve 日本 \u{1f468}\u200d\u{1f469} a\tb", "naïve 日本 \u{1f468}\u200d\u{1f469} a\tb"],
  "a colour that ends": [`${ESC}[31mred${ESC}[0m.`, `${ESC}[31mred${ESC}[0m.`],
  "a colour that ends the short way": [`${ESC}[1;31mred${ESC}[m`, `${ESC}[1;31mred${ESC}[m`],
  "a colour of 24 bits": [`${ESC}[38;2;1;2;3mx${ESC}[0m`, `${ESC}[38;2;1;2;3mx${ESC}[0m`],
  "a colour that is left on": [`${ESC}[31mred`, `${ESC}[31mred${RESET}`],
  "a title": [`a${ESC}]0;pwned\x07b`, "ab"],
  "a title that ends by ST": [`a${ESC}]0;pwned${ESC}\\b`, "ab"],
  "a title in C1": ["a\x9d0;pwned\x9cb", "ab"],
  "a title that does not end": [`a${ESC}]0;pwned`, "a"],
  "a title cut off by a colour": [`a${ESC}]0;x${ESC}[31mb${ESC}[0m`, `a${ESC}[31mb${ESC}[0m`],
  "a link": [`${ESC}]8;;http://x${ESC}\\text${ESC}]8;;${ESC}\\`, "text"],
  "the clipboard": [`a${ESC}]52;c;cm0gLXJm\x07b`, "ab"],
  "the cursor's place": [`a${ESC}[2J${ESC}[1;1H${ESC}[?25lb`, "ab"],
  "a control sequence in C1": ["a\x9b2Jb\x9b31m", "ab"],
  "the alternate screen": [`a${ESC}[?1049hb`, "ab"],
  "a request for an answer": [`a${ESC}[6n${ESC}[cb`, "ab"],
  "a colour with private marks": [`a${ESC}[>4;2m${ESC}[?31mb`, "ab"],
  "a device control text": [`a${ESC}P$q"p${ESC}\\b`, "ab"],
  "a reset of all": [`a${ESC}cb`, "ab"],
  "another set of letters": [`a${ESC}(0b`, "ab"],
  "a sequence that is cut off": [`a${ESC}[31`, "a"],
  "an escape at the end": [`a${ESC}`, "a"],
  "an escape before an escape": [`a${ESC}${ESC}]0;x\x07b`, "ab"],
  "what goes back": ["secret\r\b\b\x7fx", "secretx"],
  "a bell, a NUL, a form feed": ["a\x07\0\fb", "ab"],
  "marks of direction": ["a\u202eb\u2066c\u200fd\u061c", "abcd"],
  "separators of lines": ["a\u2028b\u2029c", "abc"],
};

t.test("text and colours are left of a line, and nothing else", (t) => {
  for (const [what, [written, left]] of Object.entries(LINES)) t.equal(shown(written), left, what);
  t.end();
});

t.test("a colour that is left on goes on in the next line, and ends with each", (t) => {
  const text = new ConsoleText();
  t.equal(text.line(`${ESC}[31mone`), `${ESC}[31mone${RESET}`);
  t.equal(text.line(`two${ESC}[1m`), `${ESC}[31mtwo${ESC}[1m${RESET}`);
  t.equal(text.line(`three${ESC}[0m`), `${ESC}[31m${ESC}[1mthree${ESC}[0m`);
  t.equal(text.line("four"), "four");
  t.end();
});

t.test("colours without end are not kept without end", (t) => {
  const text = new ConsoleText();
  for (let i = 0; i < 1000; i++) text.line(`${ESC}[${i % 100}m`);
  t.ok(text.line("x").length < 600);
  t.end();
});

t.test("whatever is written, the terminal is sent text and colours, and no colour outlives its line", (t) => {
  const piece = fc.constantFrom(
    ESC,
    "[",
    "]",
    "\x9b",
    "\x9d",
    "\x9c",
    "\x07",
    "\\",
    "m",
    "0",
    ";",
    "3",
    "P",
    "a",
    "\r",
  );
  const lines = fc.array(
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(lines, (written) => {
      const text = new ConsoleText();
      for (const line of written) {
        const out = text.line(line);
        const rest = out.replace(COLOUR, "");
        const colours = out.match(COLOUR) ?? [];
        const isOff = colours.length === 0 || [RESET, `${ESC}[m`].includes(colours.at(-1)!);
        if (/(?!\t)\p{Cc}/u.test(rest) || !isOff) return false;
      }
      return true;
    }),
    { numRuns: 20_000 },
  );
  t.end();
});
