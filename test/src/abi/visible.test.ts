/** Text made fit for a terminal: what is spelled, and what stays. */
import vm from "node:vm";
import { visible, visibleJson, visibleLines, visibleTexts } from "@capos/abi";
import t from "tap";

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** What steers a terminal, turns the order of text around, or is not seen. */
const HIDDEN: Readonly<Record<string, readonly number[]>> = Object.freeze({
  "C0 and DEL": [...range(0, 0x1f), 0x7f],
  C1: range(0x80, 0x9f),
  "a soft hyphen": [0xad],
  "marks of direction": [0x61c, 0x200e, 0x200f, ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)],
  "spaces and joiners without width": [0x180e, 0x200b, 0x200c, 0x200d, ...range(0x2060, 0x2065), 0xfeff],
  "separators of lines and paragraphs": [0x2028, 0x2029],
  "letters that are not drawn": [0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x3164, 0xffa0],
  "anchors of annotations": range(0xfff9, 0xfffb),
  tags: range(0xe0000, 0xe007f),
  "selectors of variants": [...range(0xfe00, 0xfe0f), ...range(0xe0100, 0xe01ef)],
  "halves of surrogate pairs": range(0xd800, 0xdfff),
});

t.test(
  "no character that steers, reorders or hides is left, and what stands for it reads back as it",
  (t) => {
    for (const [kind, codes] of Object.entries(HIDDEN)) {
      for (const code of codes) {
        const character = String.fromCodePoint(code);
        const shown = visible(`a${character}b`);
        if (!/^a\\(x[0-9a-f]{2}|u[0-9a-f]{4}|u\{[0-9a-f]+\})b$/.test(shown))
          t.fail(`${kind}: ${code}: ${shown}`);
        if (vm.runInThisContext(`"${shown}"`) !== `a${character}b`)
          t.fail(`${kind}: ${code} became ${shown}`);
      }
      t.pass(kind);
    }
    t.end();
  },
);

t.test("text that is seen stays as it is", (t) => {
  const texts = [
    "plain text",
    "naïve façade",
    "日本語",
    "עברית",
    "\u{1f600}",
    "a\\x1bb",
    "e\u0301",
    "\u00a0",
  ];
  for (const text of texts) t.equal(visible(text), text);
  t.end();
});

t.test("line breaks and tabs stay in text of several lines, and only there", (t) => {
  t.equal(visibleLines("a\tb\nc\r\x1b[31m\u2028"), "a\tb\nc\\x0d\\x1b[31m\\u2028");
  t.equal(visible("a\tb\n"), "a\\x09b\\x0a");
  t.end();
});

t.test("JSON shows every hidden character, and reads back as the same value", (t) => {
  for (const [kind, codes] of Object.entries(HIDDEN)) {
    for (const code of codes) {
      const character = String.fromCodePoint(code);
      const value = { [`key ${character}`]: ["a", character, { text: `a${character}b` }], "\u{1f600}": 1 };
      const json = visibleJson(value);
      if (visible(json) !== json) t.fail(`${kind}: ${code} is hidden in ${json}`);
      if (JSON.stringify(JSON.parse(json)) !== JSON.stringify(value))
        t.fail(`${kind}: ${code} became ${json}`);
    }
    t.pass(kind);
  }
  t.equal(visibleJson({ a: [1, "ü\u{1f600}", null, undefined] }), '{"a":[1,"ü\u{1f600}",null,null]}');
  t.end();
});

t.test("every text of a value is made visible, keys too, and nothing else is changed", (t) => {
  t.same(visibleTexts({ "k\x9b": ["\u202e", 1, null, true, { n: "\n" }] }), {
    "k\\x9b": ["\\u202e", 1, null, true, { n: "\\x0a" }],
  });
  t.equal(visibleTexts("plain"), "plain");
  t.end();
});
