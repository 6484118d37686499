import { Input } from "@capos/servers/guests/console/input";
import { LineJoiner, MAX_LINE_LENGTH, MAX_UNFINISHED } from "@capos/servers/guests/service/line-joiner";
import fc from "fast-check";
import t from "tap";

const PIECE_BYTES = 360;

/** All that the input gives, pieces of a line joined. */
function readAll(input: Input): string[] {
  const lines: string[] = [];
  let line = "";
  for (let piece = input.next(); piece !== null && !piece.end; piece = input.next()) {
    line += piece.text;
    if (piece.more) continue;
    lines.push(line);
    line = "";
  }
  return lines;
}

t.test("text comes out of the console's input as it went in, however it is cut", (t) => {
  const line = fc.string({ unit: "binary", maxLength: 2000 }).map((text) => text.replace(/[\r\n]/g, "_"));
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 500 }), (lines, step) => {
      const bytes = [...new TextEncoder().encode(lines.map((one) => `${one}\n`).join(""))];
      const input = new Input(PIECE_BYTES);
      const out: string[] = [];
      let rest = "";
      for (let at = 0; at < bytes.length; at += step) {
        input.push(bytes.slice(at, at + step));
        for (let piece = input.next(); piece !== null; piece = input.next()) {
          rest += piece.text;
          if (piece.more) continue;
          out.push(rest);
          rest = "";
        }
      }
      t.same(out, lines);
    }),
    { numRuns: 50 },
  );
  t.end();
});

t.test("every piece fits one answer, whatever bytes are typed", (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }), (chunks) => {
      const input = new Input(PIECE_BYTES);
      for (const chunk of chunks) input.push([...chunk]);
      input.end();
      let pieces = 0;
      for (let piece = input.next()!; !piece.end; piece = input.next()!) {
        if (Buffer.byteLength(piece.text) > PIECE_BYTES)
          t.fail(`a piece of ${Buffer.byteLength(piece.text)} bytes`);
        if (++pieces > 20_000) t.fail("the input does not end");
      }
    }),
    { numRuns: 50 },
  );
  t.end();
});

t.test("a break of two bytes is one, also where a line is cut", (t) => {
  for (let length = PIECE_BYTES - 4; length < PIECE_BYTES + 4; length++) {
    const input = new Input(PIECE_BYTES);
    const text = "x".repeat(length);
    input.push([...new TextEncoder().encode(`${text}\r\n${text}\n`)]);
    t.same(readAll(input), [text, text], `${length} bytes`);
  }
  t.end();
});

t.test("parts are joined by writer, and nothing of them is lost at the limits", (t) => {
  const joiner = new LineJoiner();
  t.same(joiner.add(1, 0, "a", true, 30), []);
  t.same(joiner.add(1, 1, "b", true, 40), []);
  t.match(joiner.add(1, 0, "c", false, 50), [{ badge: 1, thread: 0, text: "ac", level: 30, broken: false }]);
  t.match(joiner.add(1, 1, "d", false), [{ thread: 1, text: "bd", level: 40, broken: false }]);

  let text = "";
  const part = "p".repeat(300);
  for (;;) {
    text += part;
    const lines = joiner.add(2, 0, part, true);
    if (lines.length === 0) continue;
    t.match(lines, [{ badge: 2, text, broken: true }], "a line that never ends is broken");
    break;
  }
  t.ok(text.length >= MAX_LINE_LENGTH && text.length < MAX_LINE_LENGTH + part.length);
  t.end();
});

t.test("a process that opens many lines breaks its own", (t) => {
  const joiner = new LineJoiner();
  for (const badge of [1, 2]) joiner.add(badge, 0, "patient", true);
  const broken = [];
  for (let thread = 0; thread < 500; thread++) broken.push(...joiner.add(3, thread, `${thread}`, true));
  t.equal(broken.length, 500 - (MAX_UNFINISHED - 2));
  t.ok(broken.every(({ badge }) => badge === 3));
  t.match(joiner.add(1, 0, "!", false), [{ text: "patient!", broken: false }]);
  t.same([...joiner.badges()].sort(), [2, 3]);
  t.match(joiner.end(new Set([2])), [{ badge: 2, text: "patient", broken: true }]);
  t.end();
});
