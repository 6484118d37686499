/**
 * Structs: what lies in memory, declared once.
 *
 *     const Point = struct({ x: f64, y: f64, tags: array(u16, 4) });
 *     const point = Point.at(sys, address);
 *     point.x = 1.5;
 *     point.tags.set(2, 7);
 *
 * A field lies at the next multiple of its alignment, as C has it: a number's is its size, an array's its
 * element's, a struct's the largest of its fields'. All are little-endian. An access is one load or store, and makes
 * no object: what `at` made is used again by `moveTo`.
 */
import type { Sys } from "@capos/abi";
import { type Field, f64, i32, u8, u16, u32 } from "../fields.js";

/** How a number is loaded and stored. */
interface Scalar {
  readonly bytes: number;
  load(sys: Sys, address: number): number;
  store(sys: Sys, address: number, value: number): void;
}

const SCALARS: ReadonlyMap<Field<number>, Scalar> = /* @__PURE__ */ new Map<Field<number>, Scalar>([
  [u8, { bytes: 1, load: (sys, at) => sys.load8(at), store: (sys, at, value) => sys.store8(at, value) }],
  [u16, { bytes: 2, load: (sys, at) => sys.load16(at), store: (sys, at, value) => sys.store16(at, value) }],
  [
    u32,
    { bytes: 4, load: (sys, at) => sys.load32(at) >>> 0, store: (sys, at, value) => sys.store32(at, value) },
  ],
  [i32, { bytes: 4, load: (sys, at) => sys.load32(at), store: (sys, at, value) => sys.store32(at, value) }],
  [f64, { bytes: 8, load: (sys, at) => sys.loadF64(at), store: (sys, at, value) => sys.storeF64(at, value) }],
]);

declare const VIEW: unique symbol;
declare const VALUE: unique symbol;

/** What can lie in memory and is no number: how large it is, and what stands for it. */
export interface Placed<View, Value> {
  /** The whole declaration as a text: equal on two sides that agree. */
  readonly description: string;
  /** A multiple of the alignment. */
  readonly bytes: number;
  readonly alignment: number;
  /** What stands for the one at an address. */
  at(sys: Sys, address: number): View;
  /** All that lies there, each number loaded once. */
  read(sys: Sys, address: number): Value;
  /** Stores all of it. Throws RangeError for a number that its field cannot hold; the fields before it are stored by then. */
  write(sys: Sys, address: number, value: Value): void;
  readonly [VIEW]?: View;
  readonly [VALUE]?: Value;
}

/** A field of a struct: `u8`, `u16`, `u32`, `i32`, `f64`, an array, or another struct. */
// biome-ignore lint/suspicious/noExplicitAny: the views are used both ways, so no other type stands for all
export type StructField = Field<number> | Placed<any, any>;

/** What a field is when it is accessed in its place. */
export type ViewOf<F> =
  F extends Field<number> ? number : F extends Placed<infer View, unknown> ? View : never;

/** What a field is as a value of its own. */
export type ValueOf<F> =
  F extends Field<number> ? number : F extends Placed<infer _, infer Value> ? Value : never;

/** The fields of a struct by name, in the order in which they lie. */
export type StructShape = Readonly<Record<string, StructField>>;

/** A struct as a value. */
export type StructValue<S extends StructShape> = { readonly [N in keyof S]: ValueOf<S[N]> };

/** A struct in memory: numbers can be read and assigned, others are used in their places. */
export type StructView<S extends StructShape> = {
  -readonly [N in keyof S as S[N] extends Field<number> ? N : never]: number;
} & { readonly [N in keyof S as S[N] extends Field<number> ? never : N]: ViewOf<S[N]> } & Located;

/** What stands for a place in memory. */
export interface Located {
  /** Where it lies. */
  readonly address: number;
  /** Has it stand for the one at another address, with all its parts. Only for what `at` made, not for a part of that. */
  moveTo(address: number): void;
}

/** A declared struct. */
export interface Struct<S extends StructShape> extends Placed<StructView<S>, StructValue<S>> {
  /** Where each field lies, in bytes from the beginning. */
  readonly offsets: { readonly [N in keyof S]: number };
}

/** An array in memory. */
export interface ArrayView<F extends StructField> extends Located {
  readonly length: number;
  /** An element. Throws RangeError for an index that is none. What stands for one that is no number is the same for all: copy what is to stay. */
  get(index: number): ViewOf<F>;
  /** Stores an element. Throws RangeError for an index that is none, or a number that the element cannot hold. */
  set(index: number, value: ValueOf<F>): void;
}

/** A place, or a part of one, which lies where that is moved. */
class Place implements Located {
  #address: number;

  constructor(
    readonly sys: Sys,
    private readonly whole: Place | null,
    offset: number,
  ) {
    this.#address = offset;
  }

  get address(): number {
    return this.whole === null ? this.#address : this.whole.address + this.#address;
  }

  moveTo(address: number): void {
    if (this.whole !== null) throw new TypeError("a part moves with the whole");
    this.#address = address;
  }

  /** Sets the distance from the whole: of what stands for the elements of an array, one after the other. */
  shift(offset: number): void {
    this.#address = offset;
  }
}

/** What a declaration knows besides: how to stand for a part of another. */
interface Part<View, Value> extends Placed<View, Value> {
  partOf(sys: Sys, whole: Place | null, offset: number): View;
}

type AnyPart = Part<unknown, unknown>;

function describe(field: StructField): string {
  return "partOf" in field ? (field as AnyPart).description : (field as Field<number>).name;
}

function layoutOf(field: StructField): { bytes: number; alignment: number } {
  const scalar = SCALARS.get(field as Field<number>);
  if (scalar !== undefined) return { bytes: scalar.bytes, alignment: scalar.bytes };
  if ("partOf" in field) return field as AnyPart;
  throw new RangeError(
    `a struct's field is u8, u16, u32, i32, f64, an array or a struct, not ${(field as Field<number>).name}`,
  );
}

/** A value that a field can hold. */
function checked(field: Field<number>, value: number, name: string): number {
  if (field === f64) return value;
  if (Number.isInteger(value) && value >= field.min && value <= field.max) return value;
  throw new RangeError(`${name}: ${value} is no ${field.name}`);
}

function load(sys: Sys, field: StructField, address: number): unknown {
  const scalar = SCALARS.get(field as Field<number>);
  return scalar === undefined ? (field as AnyPart).read(sys, address) : scalar.load(sys, address);
}

function store(sys: Sys, field: StructField, address: number, value: unknown, name: string): void {
  const scalar = SCALARS.get(field as Field<number>);
  if (scalar === undefined) (field as AnyPart).write(sys, address, value);
  else scalar.store(sys, address, checked(field as Field<number>, value as number, name));
}

/** Names that every view has for itself. */
const RESERVED = ["address", "moveTo", "shift", "sys", "whole"];

/** Declares a struct. Throws RangeError for a field of another type, a name that is spoken for, or no field at all. */
export function struct<const S extends StructShape>(shape: S): Struct<S> {
  const names = Object.keys(shape);
  if (names.length === 0) throw new RangeError("a struct has a field");
  const offsets: Record<string, number> = {};
  let end = 0;
  let alignment = 1;
  for (const name of names) {
    if (RESERVED.includes(name) || name in Object.prototype)
      throw new RangeError(`a field cannot be called ${name}`);
    const layout = layoutOf(shape[name]!);
    offsets[name] = Math.ceil(end / layout.alignment) * layout.alignment;
    end = offsets[name] + layout.bytes;
    alignment = Math.max(alignment, layout.alignment);
  }
  const View = viewOf(shape, offsets);
  const made: Part<StructView<S>, StructValue<S>> & Struct<S> = Object.freeze({
    description: `{${names.map((name) => `${name}:${describe(shape[name]!)}`).join(",")}}`,
    bytes: Math.ceil(end / alignment) * alignment,
    alignment,
    offsets: Object.freeze(offsets) as Struct<S>["offsets"],
    at: (sys: Sys, address: number) => new View(sys, null, address) as never,
    partOf: (sys: Sys, whole: Place | null, offset: number) => new View(sys, whole, offset) as never,
    read(sys: Sys, address: number) {
      const value: Record<string, unknown> = {};
      for (const name of names) value[name] = load(sys, shape[name]!, address + offsets[name]!);
      return value as StructValue<S>;
    },
    write(sys: Sys, address: number, value: StructValue<S>) {
      for (const name of names) store(sys, shape[name]!, address + offsets[name]!, value[name], name);
    },
  });
  return made;
}

/** The class of what stands for a struct in its place: a property for each field. */
function viewOf(shape: StructShape, offsets: Readonly<Record<string, number>>): typeof Place {
  const parts: [name: string, part: AnyPart][] = [];
  class View extends Place {
    constructor(sys: Sys, whole: Place | null, offset: number) {
      super(sys, whole, offset);
      for (const [name, part] of parts)
        Object.defineProperty(this, name, {
          value: part.partOf(sys, this, offsets[name]!),
          enumerable: true,
        });
    }
  }
  for (const [name, field] of Object.entries(shape)) {
    const scalar = SCALARS.get(field as Field<number>);
    if (scalar === undefined) {
      parts.push([name, field as AnyPart]);
      continue;
    }
    const offset = offsets[name]!;
    Object.defineProperty(View.prototype, name, {
      enumerable: true,
      get(this: Place) {
        return scalar.load(this.sys, this.address + offset);
      },
      set(this: Place, value: number) {
        scalar.store(this.sys, this.address + offset, checked(field as Field<number>, value, name));
      },
    });
  }
  return View;
}

/** Declares an array of so many elements, one behind the other. Throws RangeError for less than one. */
export function array<F extends StructField>(
  element: F,
  length: number,
): Placed<ArrayView<F>, readonly ValueOf<F>[]> {
  if (!(Number.isSafeInteger(length) && length > 0))
    throw new RangeError(`an array has 1 element or more, not ${length}`);
  const { bytes, alignment } = layoutOf(element);
  const scalar = SCALARS.get(element as Field<number>);

  function indexed(index: number): number {
    if (!(Number.isInteger(index) && index >= 0 && index < length))
      throw new RangeError(`element ${index} of ${length}`);
    return index * bytes;
  }

  class View extends Place implements ArrayView<F> {
    readonly length = length;
    readonly #element: unknown;

    constructor(sys: Sys, whole: Place | null, offset: number) {
      super(sys, whole, offset);
      this.#element = scalar === undefined ? (element as unknown as AnyPart).partOf(sys, this, 0) : undefined;
    }

    get(index: number): ViewOf<F> {
      const offset = indexed(index);
      if (scalar !== undefined) return scalar.load(this.sys, this.address + offset) as ViewOf<F>;
      (this.#element as Place).shift(offset);
      return this.#element as ViewOf<F>;
    }

    set(index: number, value: ValueOf<F>): void {
      store(this.sys, element, this.address + indexed(index), value, `element ${index}`);
    }
  }

  const made: Part<ArrayView<F>, readonly ValueOf<F>[]> = Object.freeze({
    description: `${describe(element)}[${length}]`,
    bytes: bytes * length,
    alignment,
    at: (sys: Sys, address: number) => new View(sys, null, address),
    partOf: (sys: Sys, whole: Place | null, offset: number) => new View(sys, whole, offset),
    read(sys: Sys, address: number) {
      const values: ValueOf<F>[] = [];
      for (let i = 0; i < length; i++) values.push(load(sys, element, address + i * bytes) as ValueOf<F>);
      return values;
    },
    write(sys: Sys, address: number, values: readonly ValueOf<F>[]) {
      if (values.length !== length)
        throw new RangeError(`an array of ${length} elements, not ${values.length}`);
      for (let i = 0; i < length; i++) store(sys, element, address + i * bytes, values[i], `element ${i}`);
    },
  });
  return made;
}
