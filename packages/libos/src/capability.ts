/**
 * `Capability<Protocol, Rights>`: a capability with the methods of what it names, as far as its rights go.
 *
 *     function* append(file: Capability<typeof Files, "write">): Steps<void> {
 *       yield* file.write({ text: "more" });
 *       yield* file.read({ at: 0 });          // does not compile: there is no such method
 *     }
 *
 * One with more rights is one with fewer, so it can be given wherever less is asked for.
 */
import type { Field, Own } from "./fields.js";
import type { AnyKind, Held, Kind } from "./held.js";
import type { Given, Shape } from "./message.js";
import type { MethodShape, Methods } from "./method.js";
import type { KernelRight, ObjectRight, RightName } from "./rights.js";
import type { Steps } from "./steps.js";

/** A method of a kernel object: the right that the kernel asks for, and how it is called. */
export interface KernelMethod<R extends KernelRight, F> {
  readonly needs: R;
  readonly kernel: F;
}

/** What a client gets for a shape: an `own` field is a capability of the protocol that it is a part of. */
export type Replied<S extends Shape, M> = {
  [N in keyof S]: S[N] extends Field<never, infer R>
    ? [R] extends [Own<infer Rights extends RightName>]
      ? CapabilityTo<M, Rights>
      : R
    : never;
};

/** A method of a protocol as its users call it: `yield* echo.ping({ value: 1 })`. */
export type ClientMethod<D extends MethodShape, M> = keyof D["request"] extends never
  ? (request?: Given<D["request"], M>) => Steps<Replied<D["reply"], M>>
  : (request: Given<D["request"], M>) => Steps<Replied<D["reply"], M>>;

/** All methods of a protocol, whatever rights they need. */
export type Client<M extends Methods> = { readonly [N in keyof M]: ClientMethod<M[N], M> };

type Needs<D> = D extends { readonly needs: infer R } ? R : never;

type IsMethod<D, R extends RightName> = D extends MethodShape | KernelMethod<KernelRight, unknown>
  ? [Needs<D>] extends [R]
    ? true
    : false
  : false;

type MethodOf<D, M> =
  D extends KernelMethod<KernelRight, infer F> ? F : D extends MethodShape ? ClientMethod<D, M> : never;

/** A capability to something with methods `M`. */
export type CapabilityTo<M, R extends RightName> = Held<M, R> & {
  readonly [N in keyof M as IsMethod<M[N], R> extends true ? N : never]: MethodOf<M[N], M>;
};

/** The methods of what a kind names. */
export type MethodsOf<K> = K extends Kind<infer M> ? M : never;

/**
 * A capability to what `K` says (`typeof` a declared protocol, or of a kernel object's kind) with the
 * rights `R`. SEND is not among the rights of a capability to a protocol: without it there would be
 * nothing to call.
 */
export type Capability<K extends AnyKind, R extends RightName = never> = CapabilityTo<MethodsOf<K>, R>;

/** The rights that a copy can lose: of a kernel object all, of a server's object those that the kernel checks. */
export type Droppable<M, R extends RightName> = M extends Methods ? Extract<R, "grant" | "revoke"> : R;

/** The rights that every copy has: those to a server's object, which only the server can take away. */
export type Lasting<M, R extends RightName> = M extends Methods ? Extract<R, ObjectRight> : never;
