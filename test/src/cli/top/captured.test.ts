/** What a command prints while `top` has the screen. */
import { Captured } from "capos";
import t from "tap";

function capture(most?: number) {
  const printed: string[] = [];
  const to = (name: string) => ({ write: (text: string) => printed.push(`${name} ${text}`) });
  return { printed, captured: new Captured(to("out"), to("err"), most) };
}

t.test("what was printed is kept in its order until it is released, and then not held any more", (t) => {
  const { printed, captured } = capture();
  captured.stdout.write("a\n");
  captured.stderr.write("b\n");
  captured.stdout.write("c\n");
  t.same(printed, []);
  t.same(captured.tail(2), ["b", "c"]);
  captured.release();
  captured.stdout.write("d\n");
  t.same(printed, ["out a\n", "err b\n", "out c\n", "out d\n"]);
  t.end();
});

t.test("of a command that prints for ever the latest is kept, and what is left out is told", (t) => {
  const { printed, captured } = capture(100);
  for (let i = 0; i < 1000; i++) captured[i % 2 === 0 ? "stdout" : "stderr"].write(`line ${i}\n`);
  captured.release();
  const [told, ...kept] = printed;
  t.equal(told, `err ... ${1000 - kept.length} earlier pieces of output were left out\n`);
  t.ok(kept.length >= 4 && kept.join("").length <= 100 + 4 * kept.length);
  t.equal(kept.at(-1), "err line 999\n");
  t.end();
});
