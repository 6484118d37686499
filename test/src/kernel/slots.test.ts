import { ObjectType, Right, Slot, SlotBits, SlotFlag, SlotState } from "@capos/abi";
import {
  deriveSlot,
  graceIsOver,
  killSlot,
  moveSlot,
  type NodeRef,
  reclaimSlot,
  type SlotRef,
} from "@capos/kernel/internal";
import { headerOf, KernelInfo, ObjectHeader, Reap } from "@capos/kernel/layout";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";
import { makeBench } from "./support/slots.js";
import { childrenOf, isLinkless } from "./support/tree.js";

useSeed(t);

const bench = makeBench(2);
const { i32, cores, slotAt, untyped, objectIn, locked } = bench;
const REPEATED = SlotFlag.SEALED | SlotFlag.BADGED | SlotFlag.EXPIRES;
const CNODE_BITS = 3;

/** What a slot should hold. */
interface Tenant {
  readonly type: ObjectType;
  readonly object: number;
  readonly rights: number;
  readonly badge: number;
  readonly flags: number;
  readonly sizeBits: number;
}

/** Slots, and the tree of them, as they should be. Below an address that is no slot stand headers. */
class Model {
  readonly live = new Map<SlotRef, Tenant>();
  readonly children = new Map<number, NodeRef[]>();
  readonly parent = new Map<NodeRef, NodeRef>();
  readonly generation = new Map<number, number>();
  /** Grace periods that a slot's reuse has to wait for, by slot. */
  readonly dead = new Map<SlotRef, number>();
  /** Objects whose last counted capability is gone, by header; the slot that held it. */
  readonly finalised = new Map<number, number>();

  add(slot: SlotRef, tenant: Tenant, parent: SlotRef): void {
    this.live.set(slot, tenant);
    this.children.set(slot, []);
    this.children.get(parent)!.unshift(slot);
    this.parent.set(slot, parent);
  }

  /** How many capabilities keep an object: not those of a CNode that lie in it. */
  count(type: ObjectType, object: number): number {
    const end = object + Slot.WORDS * 2 ** CNODE_BITS;
    return [...this.live].filter(
      ([slot, tenant]) =>
        tenant.object === object &&
        tenant.type === type &&
        !(type === ObjectType.CNODE && slot > object && slot < end),
    ).length;
  }

  /** The object's header stands behind the slot that held its last capability. */
  finalise(type: ObjectType, object: number, slot: SlotRef): void {
    const header = headerOf(type, object);
    if (header === 0 || this.count(type, object) !== 0 || this.finalised.has(header)) return;
    this.finalised.set(header, slot);
    const parent = this.parent.get(slot)!;
    const siblings = this.children.get(parent)!;
    siblings.splice(siblings.indexOf(slot) + 1, 0, header);
    this.children.set(header, []);
    this.parent.set(header, parent);
  }

  kill(slot: SlotRef): void {
    const { type, object } = this.live.get(slot)!;
    this.live.delete(slot);
    this.finalise(type, object, slot);
    const parent = this.parent.get(slot)!;
    const siblings = this.children.get(parent)!;
    const children = this.children.get(slot)!;
    siblings.splice(siblings.indexOf(slot), 1, ...children);
    for (const child of children) this.parent.set(child, parent);
    this.children.delete(slot);
    this.parent.delete(slot);
    this.enterNoSenders(parent as SlotRef);
  }

  /** A minted endpoint badge that has lost its last descendant is listed. */
  private enterNoSenders(slot: SlotRef): void {
    const tenant = this.live.get(slot);
    if (tenant === undefined || this.children.get(slot)!.length > 0) return;
    if ((tenant.flags & SlotFlag.MINTED) === 0 || tenant.type !== ObjectType.ENDPOINT) return;
    this.live.set(slot, { ...tenant, flags: tenant.flags | SlotFlag.NO_SENDERS });
  }

  move(from: SlotRef, to: SlotRef, rights: number): void {
    const tenant = this.live.get(from)!;
    this.live.delete(from);
    this.live.set(to, { ...tenant, rights: tenant.rights & rights });
    const parent = this.parent.get(from)!;
    const siblings = this.children.get(parent)!;
    siblings[siblings.indexOf(from)] = to;
    this.parent.set(to, parent);
    this.parent.delete(from);
    this.children.set(to, this.children.get(from)!);
    this.children.delete(from);
    for (const child of this.children.get(to)!) this.parent.set(child, to);
    this.finalise(tenant.type, tenant.object, to);
  }
}

/** Everything the tests make: two CNodes among them, whose slots count as the others do. */
const KINDS: readonly [ObjectType, number, number][] = [
  [ObjectType.CNODE, CNODE_BITS, 2],
  [ObjectType.ENDPOINT, 7, 2],
  [ObjectType.NOTIFICATION, 7, 1],
  [ObjectType.THREAD, 10, 1],
  [ObjectType.MONITOR, 8, 1],
  [ObjectType.SEALER, 6, 1],
  [ObjectType.FRAME, 12, 1],
  [ObjectType.UNTYPED, 12, 1],
];
const ANCHORED = KINDS.filter(([type]) => headerOf(type, 0x1000) !== 0).map(([type]) => type);

interface World {
  readonly model: Model;
  readonly slots: SlotRef[];
  readonly objects: { type: ObjectType; object: number }[];
}

function makeWorld(): World {
  bench.renew(18);
  const model = new Model();
  model.children.set(untyped, []);
  const slots = Array.from({ length: 24 }, (_, i) => slotAt(100 + i));
  const objects: World["objects"] = [];
  let first = 100;
  for (const [type, sizeBits, count] of KINDS)
    for (const slot of bench.make(type, sizeBits, count, first)) {
      const object = objectIn(slot);
      model.add(slot, { type, object, rights: Right.ALL, badge: 0, flags: 0, sizeBits }, untyped);
      if (ANCHORED.includes(type)) objects.push({ type, object });
      if (type === ObjectType.CNODE)
        for (let i = 1; i < 2 ** CNODE_BITS; i++) slots.push((object + i * Slot.WORDS) as SlotRef);
      first++;
    }
  for (const slot of slots) model.generation.set(slot, i32[slot + Slot.GENERATION]);
  return { model, slots, objects };
}

function check({ model, slots, objects }: World): void {
  for (const slot of slots) {
    const tenant = model.live.get(slot);
    const word = i32[slot];
    if (i32[slot + Slot.GENERATION] !== model.generation.get(slot)) throw new Error("a generation is wrong");
    if (tenant !== undefined) {
      const { type, rights, flags, sizeBits } = tenant;
      const expected =
        SlotState.LIVE | (type << SlotBits.TYPE_SHIFT) | (rights << 8) | flags | (sizeBits << 24);
      if (word !== expected) throw new Error(`a slot's first word is ${word}, not ${expected}`);
      if (i32[slot + Slot.OBJECT] !== tenant.object || i32[slot + Slot.BADGE] !== tenant.badge)
        throw new Error("a slot names another object, or has another badge");
      if (childrenOf(i32, slot).join() !== model.children.get(slot)!.join())
        throw new Error("what was derived from a slot is not what the tree says");
      continue;
    }
    if (!isLinkless(i32, slot)) throw new Error("a slot that holds nothing is in the tree");
    const runs = [...model.finalised].some(
      ([header, last]) =>
        last === slot && (i32[header] & SlotBits.TYPE_MASK) >> SlotBits.TYPE_SHIFT === ObjectType.THREAD,
    );
    const dead = SlotState.DEAD | (runs ? SlotFlag.FINALISING : 0);
    const kept = SlotBits.TYPE_MASK | SlotBits.RIGHTS_MASK | (63 << SlotBits.SIZE_SHIFT);
    if ((model.dead.has(slot) ? word & ~kept : word) !== (model.dead.has(slot) ? dead : SlotState.EMPTY))
      throw new Error(`an unused slot says ${word}`);
  }
  if (childrenOf(i32, untyped).join() !== model.children.get(untyped)!.join())
    throw new Error("the children of the untyped memory are wrong");
  for (const { type, object } of objects) {
    const header = headerOf(type, object);
    const [references, ending] = [i32[header + ObjectHeader.REFERENCES], model.finalised.has(header)];
    if (references !== model.count(type, object))
      throw new Error(`type ${type} counts ${references} capabilities and has ${model.count(type, object)}`);
    if (((i32[header] & SlotBits.STATE_MASK) === SlotState.DEAD) !== ending)
      throw new Error(ending ? "an object without capabilities lives" : "an object with capabilities dies");
    if ((i32[header + ObjectHeader.REAP_WORK] === Reap.FINALISE) !== ending)
      throw new Error("the reaper was told wrong");
    if (childrenOf(i32, header).length !== 0) throw new Error("a header has children");
  }
}

const step = fc.record({
  what: fc.constantFrom(
    "derive",
    "derive",
    "derive",
    "mint",
    "seal",
    "move",
    "move",
    "kill",
    "kill",
    "reclaim",
    "pass",
  ),
  from: fc.nat(),
  to: fc.nat(),
  rights: fc.integer({ min: 0, max: 255 }),
  core: fc.nat(1),
});

t.test(
  "an object counts its capabilities and ends with the last that counts, rights only shrink, flags go down the tree, and a slot is reused one generation on after its grace period",
  (t) => {
    let ended = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: "max" }), (steps) => {
        const world = makeWorld();
        const { model, slots } = world;
        const closed = (slot: number): boolean =>
          [...model.finalised.keys()].some(
            (header) => slot > header && slot < header + (Slot.WORDS << CNODE_BITS),
          );
        for (const { what, from, to, rights, core } of steps) {
          const k = cores[core];
          const living = [...model.live.keys()];
          const empty = slots.filter(
            (slot) => !model.live.has(slot) && !model.dead.has(slot) && !closed(slot),
          );
          const source = living[from % Math.max(1, living.length)];
          const target = empty[to % Math.max(1, empty.length)];
          const asked = i32[KernelInfo.GRACE_REQUESTED];
          if (what === "pass") bench.pass();
          else if (what === "reclaim") {
            const slot = slots[to % slots.length];
            const stamp = model.dead.get(slot);
            const held = model.live.has(slot) || (i32[slot] & SlotFlag.FINALISING) !== 0;
            const free = !held && (stamp === undefined || graceIsOver(k, stamp));
            if (locked(k, (held) => reclaimSlot(held, slot)) !== free)
              throw new Error("a slot was not judged by its stamp");
            if (free && stamp !== undefined) {
              model.dead.delete(slot);
              model.generation.set(slot, model.generation.get(slot)! + 1);
            }
          } else if (source === undefined) continue;
          else if (what === "kill") {
            locked(k, (held) => killSlot(held, source));
            model.kill(source);
            model.dead.set(source, asked + 1);
          } else if (target === undefined || closed(source)) continue;
          else if (what === "move") {
            locked(k, (held) => moveSlot(held, source, target, rights));
            model.move(source, target, rights);
            model.dead.set(source, asked + 1);
          } else {
            const tenant = model.live.get(source)!;
            if (tenant.type === ObjectType.UNTYPED) continue;
            const mints =
              what === "mint" &&
              (tenant.type === ObjectType.ENDPOINT || tenant.type === ObjectType.NOTIFICATION) &&
              (tenant.flags & SlotFlag.BADGED) === 0;
            const badge = mints ? rights + 1 : 0;
            const sealed = what === "seal" ? SlotFlag.SEALED : 0;
            locked(k, (held) => deriveSlot(held, source, target, rights, badge, sealed));
            const flags =
              (tenant.flags & REPEATED) | sealed | (mints ? SlotFlag.MINTED | SlotFlag.BADGED : 0);
            model.add(
              target,
              { ...tenant, rights: tenant.rights & rights, badge: badge || tenant.badge, flags },
              source,
            );
          }
          for (const [slot, stamp] of model.dead)
            if (i32[slot + Slot.STAMP] !== stamp)
              throw new Error("a dead slot's stamp is not that of the next grace period");
          check(world);
        }
        ended += model.finalised.size;
      }),
      { numRuns: 300 },
    );
    t.ok(ended > 30, `${ended} objects ended`);
    t.end();
  },
);

t.test(
  "a CNode that is moved into itself, as the last that counts, ends; its copies in itself keep nothing",
  (t) => {
    bench.renew(18);
    const [own] = bench.make(ObjectType.CNODE, CNODE_BITS, 1, 100) as [SlotRef];
    const cnode = objectIn(own);
    const k = cores[0];
    const inside = (index: number): SlotRef => (cnode + index * Slot.WORDS) as SlotRef;
    locked(k, (held) => deriveSlot(held, own, inside(1), Right.ALL, 0));
    t.equal(i32[cnode + ObjectHeader.REFERENCES], 1, "the one in itself does not count");
    locked(k, (held) => deriveSlot(held, inside(1), slotAt(101), Right.ALL, 0));
    t.equal(i32[cnode + ObjectHeader.REFERENCES], 2, "a copy of it elsewhere does");
    locked(k, (held) => moveSlot(held, slotAt(101), inside(2), Right.ALL));
    t.equal(i32[cnode + ObjectHeader.REFERENCES], 1);
    locked(k, (held) => moveSlot(held, inside(2), slotAt(102), Right.ALL));
    t.equal(i32[cnode + ObjectHeader.REFERENCES], 2, "moved out it counts again");
    locked(k, (held) => killSlot(held, slotAt(102)));
    t.equal(i32[cnode] & SlotBits.STATE_MASK, SlotState.EMPTY, "it lives");
    locked(k, (held) => moveSlot(held, own, inside(3), Right.ALL));
    t.equal(i32[cnode + ObjectHeader.REFERENCES], 0);
    t.equal(i32[cnode] & SlotBits.STATE_MASK, SlotState.DEAD);
    t.same(childrenOf(i32, untyped), [inside(3), cnode]);
    t.end();
  },
);

t.test(
  "the memory that a capability to it moves with keeps its watermark, its children, and how far it is on its way",
  (t) => {
    bench.renew(18);
    const [inner] = bench.make(ObjectType.UNTYPED, 12, 1, 100) as [SlotRef];
    const made = bench.make(ObjectType.ENDPOINT, 0, 3, 101, inner);
    locked(cores[0], (held) => moveSlot(held, inner, slotAt(110), Right.ALL));
    t.equal(i32[slotAt(110) + Slot.WATERMARK], 6);
    t.same(childrenOf(i32, slotAt(110)), made.reverse());
    for (const slot of made) locked(cores[0], (held) => killSlot(held, slot));
    t.same(
      childrenOf(i32, slotAt(110)),
      made.map((slot) => headerOf(ObjectType.ENDPOINT, objectIn(slot))),
      "what is not gone yet stands there",
    );
    t.end();
  },
);

t.test("a slot at its last generation is never used again", (t) => {
  bench.renew(18);
  const [slot] = bench.make(ObjectType.ENDPOINT, 0, 1, 100) as [SlotRef];
  i32[slot + Slot.GENERATION] = -2;
  locked(cores[0], (held) => killSlot(held, slot));
  bench.pass();
  t.equal(
    locked(cores[0], (held) => reclaimSlot(held, slot)),
    true,
  );
  t.equal(i32[slot + Slot.GENERATION], -1);
  const [again] = bench.make(ObjectType.NOTIFICATION, 0, 1, 100) as [SlotRef];
  locked(cores[0], (held) => killSlot(held, again));
  bench.pass();
  t.equal(
    locked(cores[0], (held) => reclaimSlot(held, slot)),
    false,
  );
  t.end();
});
