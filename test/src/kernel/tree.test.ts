import { Slot } from "@capos/abi";
import {
  type Core,
  type Locked,
  linkBeside,
  linkFirst,
  type NodeRef,
  rotateChildren,
  takePlace,
  unlink,
} from "@capos/kernel/internal";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { childrenOf, descendantsOf, isLinkless } from "./support/tree.js";

useSeed(t);

const NODES = 40;
const i32 = new Int32Array((NODES + 1) * Slot.WORDS);
/** Node 1 is the root; address 0 is no node. */
const ROOT = 1;
/** A core that holds the lock, as far as the tree looks at it: nobody else has these words. */
const holding = (words: Int32Array): Locked => ({ i32: words }) as Core as Locked;
const held = holding(i32);
const at = (node: number): NodeRef => (node * Slot.WORDS) as NodeRef;

/** The tree as it should be: plain arrays. A node without an entry in `parent` is in no tree. */
class Model {
  readonly children = new Map<number, number[]>([[ROOT, []]]);
  readonly parent = new Map<number, number>();

  get members(): number[] {
    return [...this.children.keys()];
  }

  add(parent: number, index: number, node: number): void {
    this.children.get(parent)!.splice(index, 0, node);
    this.children.set(node, []);
    this.parent.set(node, parent);
  }

  /** The children stand in their parent's place. Answers the parent if that is childless now, else 0. */
  remove(node: number): number {
    const parent = this.parent.get(node)!;
    const siblings = this.children.get(parent)!;
    siblings.splice(siblings.indexOf(node), 1, ...this.children.get(node)!);
    for (const child of this.children.get(node)!) this.parent.set(child, parent);
    this.children.delete(node);
    this.parent.delete(node);
    return siblings.length === 0 ? parent : 0;
  }

  replace(from: number, to: number): void {
    const parent = this.parent.get(from)!;
    const siblings = this.children.get(parent)!;
    siblings[siblings.indexOf(from)] = to;
    this.parent.set(to, parent);
    this.parent.delete(from);
    for (const child of this.children.get(from)!) this.parent.set(child, to);
    this.children.set(to, this.children.get(from)!);
    this.children.delete(from);
  }
}

function check(model: Model): void {
  for (let node = ROOT; node <= NODES; node++) {
    const children = model.children.get(node);
    if (children === undefined) {
      if (!isLinkless(i32, at(node))) throw new Error(`node ${node} is in no tree and has links`);
    } else if (childrenOf(i32, at(node)).join() !== children.map(at).join())
      throw new Error(`the children of ${node} are not ${children}`);
  }
  if (descendantsOf(i32, at(ROOT)).length !== model.parent.size) throw new Error("the tree lost a node");
}

const step = fc.record({
  what: fc.constantFrom("first", "first", "beside", "unlink", "take place", "rotate"),
  a: fc.nat(),
  b: fc.nat(),
});

t.test(
  "circles are linked both ways, a first child alone knows its parent, children of a node that goes stand in its place in order, and a node in no tree has no links",
  (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        i32.fill(0);
        const model = new Model();
        const pick = (from: readonly number[], n: number): number => from[n % from.length];
        for (const { what, a, b } of steps) {
          const free = Array.from({ length: NODES - 1 }, (_, i) => i + 2).filter((n) => !model.parent.has(n));
          const linked = [...model.parent.keys()];
          if ((what === "first" || what === "beside" || what === "take place") && free.length === 0) continue;
          if (what !== "first" && linked.length === 0) continue;
          if (what === "first") {
            const [parent, node] = [pick(model.members, a), pick(free, b)];
            linkFirst(held, at(parent), at(node));
            model.add(parent, 0, node);
          } else if (what === "beside") {
            const [beside, node] = [pick(linked, a), pick(free, b)];
            const parent = model.parent.get(beside)!;
            linkBeside(held, at(node), at(beside));
            model.add(parent, model.children.get(parent)!.indexOf(beside) + 1, node);
          } else if (what === "unlink") {
            const node = pick(linked, a);
            const [left, expected] = [unlink(held, at(node)), model.remove(node)];
            if (left !== (expected === 0 ? 0 : at(expected)))
              throw new Error(`unlink answers ${left}, childless is ${expected}`);
          } else if (what === "take place") {
            const [from, to] = [pick(linked, a), pick(free, b)];
            takePlace(held, at(from), at(to));
            model.replace(from, to);
          } else {
            const parents = model.members.filter((node) => model.children.get(node)!.length > 0);
            const children = model.children.get(pick(parents, a))!;
            rotateChildren(held, at(pick(parents, a)));
            children.push(children.shift()!);
          }
          check(model);
        }
      }),
      { numRuns: 300 },
    );
    t.end();
  },
);

t.test(
  "only a parent that lost its last child is answered, and only if no grandchild stands in for it",
  (t) => {
    i32.fill(0);
    linkFirst(held, at(1), at(2));
    linkFirst(held, at(2), at(3));
    t.equal(unlink(held, at(2)), 0, "the grandchild is the parent's now");
    t.same(childrenOf(i32, at(1)), [at(3)]);
    linkFirst(held, at(1), at(4));
    t.equal(unlink(held, at(3)), 0, "a sibling is left");
    t.equal(unlink(held, at(4)), at(1));
    t.equal(i32[at(1) + Slot.FIRST_CHILD], 0);
    t.end();
  },
);

t.test(
  "a node with 10,000 children goes in one step: they are not touched, but for the first and the last",
  (t) => {
    const words = new Int32Array(10_010 * Slot.WORDS);
    const large = holding(words);
    linkFirst(large, at(1), at(2));
    for (let node = 3; node < 10_003; node++) linkFirst(large, at(2), at(node));
    const before = words.slice();
    unlink(large, at(2));
    const changed = new Set<number>();
    for (let word = 0; word < words.length; word++)
      if (words[word] !== before[word]) changed.add(Math.floor(word / Slot.WORDS));
    t.ok(changed.size <= 4, `${changed.size} nodes changed`);
    t.equal(childrenOf(words, at(1)).length, 10_000);
    t.end();
  },
);
