/**
 * The fake kernel's capabilities: slots, what was derived from what, and the CNode methods.
 *
 * Everything happens at once here; there are no grace periods, cores or races.
 */
import { Err, handleIndex, Method, makeHandle, ObjectType, Right, SlotFlag, SlotState } from "@capos/abi";

/** A capability and its place in the derivation tree. */
export interface Capability {
  /** An endpoint, a thread, a function that answers invocations, or something with an object type. */
  readonly object: object;
  readonly badge: number;
  readonly generation: number;
  readonly rights: number;
  parent: Capability | undefined;
  readonly children: Set<Capability>;
  /** Where it is; a moved one changes places. */
  space: CSpace;
  index: number;
  readonly minted: boolean;
  readonly sealer: object | undefined;
}

export type CSpace = Map<number, Capability>;

/** Whoever has capabilities. */
interface Holder {
  readonly cspace: CSpace;
}

/** A notification, a sealer, a monitor: something that a capability names and that answers nothing here. */
export class Thing {
  constructor(readonly type: ObjectType) {}
}

/** What is done to capabilities, apart from sending them. */
export class Tree {
  #generations = 0;

  /** Called when a minted capability has no descendants left, and when it has some again. */
  constructor(readonly onOrphan: (minted: Capability, orphaned: boolean) => void) {}

  put(
    space: CSpace,
    index: number,
    object: object,
    more: Partial<Pick<Capability, "badge" | "rights" | "parent" | "minted" | "sealer">> = {},
  ): number {
    const capability: Capability = {
      badge: 0,
      rights: Right.ALL,
      parent: undefined,
      minted: false,
      sealer: undefined,
      ...more,
      object,
      generation: ++this.#generations,
      children: new Set(),
      space,
      index,
    };
    space.set(index, capability);
    capability.parent?.children.add(capability);
    if (capability.parent?.minted === true) this.onOrphan(capability.parent, false);
    return makeHandle(index, capability.generation);
  }

  derive(
    source: Capability,
    space: CSpace,
    index: number,
    more: Partial<Pick<Capability, "badge" | "rights" | "minted" | "sealer">> = {},
  ): number {
    const { object, badge, rights, sealer } = source;
    return this.put(space, index, object, {
      badge,
      sealer,
      ...more,
      rights: rights & (more.rights ?? rights),
      parent: source,
    });
  }

  remove(capability: Capability): void {
    const { parent, children, space, index } = capability;
    if (space.get(index) === capability) space.delete(index);
    this.onOrphan(capability, false);
    for (const child of children) {
      child.parent = parent;
      parent?.children.add(child);
    }
    children.clear();
    parent?.children.delete(capability);
    if (parent?.minted === true && parent.children.size === 0) this.onOrphan(parent, true);
  }

  /** Ends what was derived from a capability. */
  revoke(capability: Capability): void {
    for (const child of [...capability.children]) {
      this.revoke(child);
      this.remove(child);
    }
  }

  move(capability: Capability, space: CSpace, index: number): number {
    const { object, badge, rights, parent, minted, sealer, children } = capability;
    const handle = this.put(space, index, object, { badge, rights, parent, minted, sealer });
    const moved = space.get(index)!;
    for (const child of children) {
      child.parent = moved;
      moved.children.add(child);
    }
    children.clear();
    capability.space.delete(capability.index);
    parent?.children.delete(capability);
    return handle;
  }

  /** The CNode that a CSpace is. */
  cnode(space: CSpace): (caller: Holder, words: Float64Array) => number {
    return (caller, words) => {
      const [method, slot, second, third, fourth] = words as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      const found = space.get(slot);
      if (method === Method.CNODE_DELETE) {
        if (found !== undefined) this.remove(found);
        return 0;
      }
      if (method === Method.CNODE_INSPECT) {
        words.set(describe(found, slot));
        return 8;
      }
      if (method === Method.CNODE_REVOKE) {
        const target = find(space, slot);
        if (target === undefined) return Err.BAD_CAP;
        if ((target.rights & Right.REVOKE) === 0) return Err.DENIED;
        this.revoke(target);
        return 0;
      }
      const source = find(caller.cspace, second);
      if (source === undefined) return Err.BAD_CAP;
      if (found !== undefined) return Err.SLOT_OCCUPIED;
      const handle = this.#derived(method, caller, source, space, slot, third, fourth);
      if (handle < 0) return handle;
      words[0] = handle;
      return 1;
    };
  }

  #derived(
    method: Method,
    caller: Holder,
    source: Capability,
    space: CSpace,
    slot: number,
    third: number,
    fourth: number,
  ): number {
    switch (method) {
      case Method.CNODE_COPY:
      case Method.CNODE_EXPIRE:
        return this.derive(source, space, slot, { rights: third });
      case Method.CNODE_MINT:
        if (source.badge !== 0) return Err.DENIED;
        return this.derive(source, space, slot, { rights: third, badge: fourth, minted: true });
      case Method.CNODE_MOVE:
        return this.move(source, space, slot);
      case Method.CNODE_SEAL:
      case Method.CNODE_UNSEAL: {
        const sealer = find(caller.cspace, third);
        const seals = method === Method.CNODE_SEAL;
        if (sealer === undefined) return Err.BAD_CAP;
        if ((sealer.rights & (seals ? Right.WRITE : Right.READ)) === 0) return Err.DENIED;
        if (seals ? source.sealer !== undefined : source.sealer !== sealer.object) return Err.SEALED;
        return this.derive(source, space, slot, { sealer: seals ? sealer.object : undefined });
      }
      default:
        return Err.UNSUPPORTED;
    }
  }
}

function describe(found: Capability | undefined, slot: number): number[] {
  if (found === undefined) return [ObjectType.NONE, 0, 0, SlotState.EMPTY, 0, 0, 0, -1];
  const { object, rights, badge, generation, minted, sealer } = found;
  const type = (object as Partial<Thing>).type ?? ObjectType.NONE;
  const flags =
    (badge === 0 ? 0 : SlotFlag.BADGED) |
    (minted ? SlotFlag.MINTED : 0) |
    (sealer === undefined ? 0 : SlotFlag.SEALED);
  return [type, rights, badge, SlotState.LIVE, 0, makeHandle(slot, generation), flags, -1];
}

/** What a handle names. */
export function find(space: CSpace, handle: number): Capability | undefined {
  const found = space.get(handleIndex(handle));
  if (found === undefined || makeHandle(handleIndex(handle), found.generation) !== handle) return undefined;
  return found;
}
