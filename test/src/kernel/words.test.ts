/** Where the kernel keeps its words in the machine's own pages. */
import * as hal from "@capos/hal";
import * as kernel from "@capos/kernel/layout";
import t from "tap";

type Layout = Readonly<Record<string, string | number>>;

/** The enums are there at run time too. */
const LAYOUTS = { ...hal, ...kernel } as unknown as Readonly<Record<string, Layout>>;

const offsetsOf = (layout: Layout): number[] =>
  Object.values(layout).filter((value): value is number => typeof value === "number");

for (const [name, machineLayout, kernelLayout] of [
  ["frame 0", "BootInfo", "KernelInfo"],
  ["a core's area", "CoreArea", "KernelCore"],
] as const) {
  t.test(
    `the kernel's words of ${name} lie where hal leaves room for them, each at a place of its own`,
    (t) => {
      const machine = LAYOUTS[machineLayout];
      const from = machine.TENANT as number;
      const to = Math.min(...offsetsOf(machine).filter((offset) => offset > from));
      const own = offsetsOf(LAYOUTS[kernelLayout]);
      t.same(
        own.filter((offset) => offset < from || offset >= to),
        [],
      );
      t.equal(new Set(own).size, own.length);
      t.end();
    },
  );
}
