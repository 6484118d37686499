import * as abi from "@capos/abi";
import {
  blameOf,
  type Err,
  errorName,
  handleGeneration,
  handleIndex,
  makeHandle,
  packBytes,
  Reg,
  Slot,
  SlotBits,
  SlotFlag,
  SlotState,
  trapName,
  typeName,
  unpackBytes,
  utf8Decode,
  utf8Encode,
  wordsForBytes,
} from "@capos/abi";
import { METHODS, methodName } from "@capos/abi/methods";
import fc from "fast-check";
import t from "tap";
import { useSeed } from "../support/machine.js";

useSeed(t);

/** The members of an enum as they are at run time: constants in the source, kept for dumps. */
function members(name: string): [string, number][] {
  const found = (abi as unknown as Record<string, Record<string, number | string>>)[name];
  return Object.entries(found).filter((entry): entry is [string, number] => typeof entry[1] === "number");
}

t.test("a slot is 16 words, one cache line, with every field where docs and dumps say it is", (t) => {
  t.same(Object.fromEntries(members("Slot")), {
    STATE: 0,
    GENERATION: 1,
    OBJECT: 2,
    BADGE: 3,
    EXPIRY: 4,
    SEALER: 6,
    MAPPED_SPACE: 7,
    MAPPED_PAGE: 8,
    PARENT: 9,
    FIRST_CHILD: 10,
    NEXT_SIBLING: 11,
    PREVIOUS_SIBLING: 12,
    WATERMARK: 13,
    STAMP: 14,
    LINK: 15,
    WORDS: 16,
  });
  t.equal(Slot.WORDS * 4, 64);
  t.equal(Slot.EXPIRY % 2, 0, "a double must stand on eight bytes");
  t.end();
});

t.test("the fields of a slot's word 0 fill it and do not overlap", (t) => {
  t.same(Object.fromEntries(members("SlotBits")), {
    STATE_MASK: 0x3,
    TYPE_SHIFT: 2,
    TYPE_MASK: 0xfc,
    RIGHTS_SHIFT: 8,
    RIGHTS_MASK: 0xff00,
    FLAGS_SHIFT: 16,
    FLAGS_MASK: 0xff0000,
    SIZE_SHIFT: 24,
  });
  const masks = [
    SlotBits.STATE_MASK,
    SlotBits.TYPE_MASK,
    SlotBits.RIGHTS_MASK,
    SlotBits.FLAGS_MASK,
    0xff << SlotBits.SIZE_SHIFT,
  ];
  t.equal(
    masks.reduce((all, mask) => all | mask, 0),
    -1,
    "every bit is a field's",
  );
  t.equal(
    masks.reduce((all, mask) => all + (mask >>> 0), 0),
    0xffff_ffff,
    "and no bit two fields'",
  );
  for (const [name, flag] of members("SlotFlag"))
    t.equal(flag & ~SlotBits.FLAGS_MASK, 0, `${name} is in the flags`);
  t.equal(new Set(members("SlotFlag").map(([, flag]) => flag)).size, members("SlotFlag").length);
  t.same(Object.fromEntries(members("SlotState")), { EMPTY: 0, RESERVED: 1, LIVE: 2, DEAD: 3 });
  t.equal(SlotState.EMPTY, 0, "zeroed memory is empty slots");
  t.equal(SlotFlag.SEALED & SlotBits.STATE_MASK, 0);
  t.end();
});

t.test("every right has a bit of its own and ALL is all of them", (t) => {
  const rights = members("Right").filter(([name]) => name !== "ALL");
  t.equal(
    rights.reduce((sum, [, bit]) => sum + bit, 0),
    255,
  );
  t.equal(
    rights.reduce((all, [, bit]) => all | bit, 0),
    255,
  );
  t.equal((255 << SlotBits.RIGHTS_SHIFT) & ~SlotBits.RIGHTS_MASK, 0, "they fit in a slot");
  t.end();
});

t.test("every type fits in a slot and has a name of its own", (t) => {
  const types = members("ObjectType");
  const names = new Set(types.map(([, type]) => typeName(type)));
  t.equal(names.size, types.length);
  for (const [name, type] of types) {
    t.equal((type << SlotBits.TYPE_SHIFT) & ~SlotBits.TYPE_MASK, 0);
    t.equal(typeName(type), name.toLowerCase().replace("_", "-"));
  }
  t.equal(typeName(60), "type 60");
  t.end();
});

t.test("a handle gives back its slot and generation, and is a safe integer", (t) => {
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(2 ** 21 - 1), fc.nat(300)),
      fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31))),
      (index, generation) => {
        const handle = makeHandle(index, generation);
        return (
          Number.isSafeInteger(handle) &&
          handleIndex(handle) === index &&
          handleGeneration(handle) === generation >>> 0 &&
          (handleGeneration(handle) | 0) === generation
        );
      },
    ),
  );
  t.end();
});

t.test("two handles are equal only if slot and generation are", (t) => {
  const part = fc.tuple(fc.nat(3), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
  fc.assert(
    fc.property(
      part,
      part,
      ([i, g], [j, h]) => (makeHandle(i, g) === makeHandle(j, h)) === (i === j && g === h),
    ),
  );
  t.end();
});

t.test("bytes packed into words come back, whatever lies before and behind them", (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(255), { maxLength: 100 }),
      fc.nat(100),
      fc.nat(100),
      fc.nat(5),
      (bytes, a, b, at) => {
        const [from, to] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
        const words = new Float64Array(40).fill(-7);
        const count = packBytes(words, at, bytes, from, to);
        if (count !== wordsForBytes(to - from)) return false;
        if (
          words.some((word, i) =>
            i < at || i >= at + count
              ? word !== -7
              : !Number.isSafeInteger(word) || word < 0 || word >= 2 ** 48,
          )
        )
          return false;
        const out = new Uint8Array(to - from + 4).fill(99);
        unpackBytes(words, at, to - from, out, 2);
        return Buffer.from(out).equals(Buffer.from([99, 99, ...bytes.slice(from, to), 99, 99]));
      },
    ),
  );
  t.end();
});

t.test("packed bytes stand least significant first, six a word", (t) => {
  const words: number[] = [];
  t.equal(packBytes(words, 0, [1, 2, 3, 4, 5, 6, 7], 0, 7), 2);
  t.same(words, [0x060504030201, 7]);
  t.equal(packBytes(words, 0, [0x1ff, -1], 0, 2), 1);
  t.equal(words[0], 0xffff, "of a number that is no byte the low eight bits count");
  t.end();
});

t.test("words that hold no six bytes unpack to bytes all the same", (t) => {
  fc.assert(
    fc.property(fc.array(fc.double(), { minLength: 4, maxLength: 4 }), (words) => {
      const out: number[] = [];
      unpackBytes(words, 0, 24, out, 0);
      return out.length === 24 && out.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
    }),
  );
  const out: number[] = [];
  unpackBytes([Number.NaN, -1, 2 ** 48, Number.POSITIVE_INFINITY], 0, 24, out, 0);
  t.ok(
    out.every((byte) => byte === 0),
    "what cannot be six bytes is zeros",
  );
  t.end();
});

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
);

t.test("text is encoded as TextEncoder does it", (t) => {
  fc.assert(
    fc.property(anyText, (text) => Buffer.from(utf8Encode(text)).equals(new TextEncoder().encode(text))),
  );
  t.end();
});

/** Bytes that are nearly UTF-8: a text's with some changed, or made of the bytes where the rules change. */
const nearly = fc.oneof(
  fc.array(
    fc.constantFrom(
      0x00,
      0x2f,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xed,
      0xef,
      0xf0,
      0xf1,
      0xf4,
      0xf5,
      0xf8,
      0xff,
    ),
    { maxLength: 8 },
  ),
  fc.tuple(fc.string({ unit: "binary" }), fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
    const bytes = utf8Encode(text);
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  }),
);

t.test(
  "bytes are decoded as TextDecoder does it where they are UTF-8; else the text says so with U+FFFD",
  (t) => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => utf8Decode(utf8Encode(text)) === text));
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(nearly, (bytes) => {
        let expected: string | null = null;
        try {
          expected = strict.decode(Uint8Array.from(bytes));
        } catch {}
        const text = utf8Decode(bytes);
        return expected === null ? text.includes("\ufffd") : text === expected;
      }),
      { numRuns: 3000 },
    );
    for (const overlong of [
      [0xc0, 0xaf],
      [0xe0, 0x80, 0xaf],
      [0xf0, 0x80, 0x80, 0xaf],
      [0xe0, 0x80, 0x80],
    ]) {
      t.ok(utf8Decode(overlong).includes("\ufffd"), `${overlong} is not UTF-8 for a slash or a zero`);
    }
    t.equal(utf8Decode([0x61, 0x62, 0x63], 1, 2), "b");
    t.end();
  },
);

t.test("every error is below zero, has a name and says whose fault it was", (t) => {
  const blames: Record<string, string[]> = { none: [], invoker: [], state: [], peer: [] };
  for (const [name, code] of members("Err")) {
    t.equal(errorName(code), name === "OK" ? "OK" : `ERR_${name}`);
    t.equal(code < 0, name !== "OK");
    blames[blameOf(code)].push(name);
  }
  t.same(blames, {
    none: ["OK"],
    invoker: [
      "BAD_CAP",
      "BAD_TYPE",
      "DENIED",
      "RANGE",
      "UNSUPPORTED",
      "SLOT_OCCUPIED",
      "NO_REPLY",
      "SEALED",
      "MAPPED",
    ],
    state: ["BUSY", "WOULD_BLOCK", "NO_MEMORY", "NO_RESOURCE", "TIMEOUT", "NO_TABLE"],
    peer: ["REVOKED", "PEER_DIED", "NOT_FOUND", "EXPIRED"],
  });
  t.equal(
    new Set(members("Err").map(([, code]) => code)).size,
    members("Err").length,
    "no number means two errors",
  );
  t.equal(errorName(17 as Err), "OK", "an answer above zero is a count");
  t.equal(blameOf(17), "none");
  t.equal(errorName(-99), "ERR(-99)");
  t.end();
});

t.test("every trap has the name of its function and a number that fits its eight bits", (t) => {
  const traps = members("Trap");
  for (const [name, trap] of traps) {
    t.ok(trap > 0 && trap < 256);
    t.equal(trapName(trap).toLowerCase(), name.toLowerCase().replaceAll("_", ""));
    t.equal(trapName(trap | (3 << 8)), trapName(trap), "words and capabilities do not count");
  }
  t.equal(new Set(traps.map(([, trap]) => trap)).size, traps.length);
  t.equal(trapName(200), "trap 200");
  t.end();
});

t.test("the registers of a file do not overlap: 64 words, 4 capabilities, the rest one each", (t) => {
  const starts = members("Reg")
    .filter(([name]) => name !== "COUNT")
    .sort((a, b) => a[1] - b[1]);
  const lengths: Record<string, number> = {
    WORDS: abi.MAX_MESSAGE_WORDS,
    CAPABILITIES: abi.MAX_MESSAGE_CAPABILITIES,
  };
  let at = 0;
  for (const [name, start] of starts) {
    t.ok(start >= at, `${name} begins at ${start}, behind the one before`);
    at = start + (lengths[name] ?? 1);
  }
  t.ok(at <= Reg.COUNT);
  t.end();
});

t.test("every method that is declared has its number, and a name of its own", (t) => {
  const methods = METHODS.flatMap((object) => object.methods.map((method) => ({ object, method })));
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  t.same(
    Object.fromEntries(
      methods.map(({ object, method }) => [snake(`${object.name}_${method.name}`), method.number]),
    ),
    Object.fromEntries(members("Method")),
  );
  t.equal(
    new Set(members("Method").map(([, method]) => method)).size,
    methods.length,
    "none has another's number",
  );
  for (const { object, method } of methods)
    t.equal(methodName(method.number), `${object.name}.${method.name}`);
  t.equal(methodName(99), "method 99");
  t.end();
});

t.test("no method has more words than fit a message", (t) => {
  for (const object of METHODS) {
    for (const method of object.methods) {
      const words = method.arguments.map((argument) => {
        if (argument.kind === "words") return argument.max;
        return argument.kind === "text" || argument.kind === "bytes" ? 1 + wordsForBytes(argument.max) : 1;
      });
      const count = words.reduce((sum, it) => sum + it, 1);
      t.ok(count <= abi.MAX_MESSAGE_WORDS, `${object.name}.${method.name} has ${count}`);
    }
  }
  t.end();
});

t.test("a declaration cannot be changed", (t) => {
  t.throws(() => {
    (METHODS[0].methods[0].arguments[0] as { name: string }).name = "other";
  }, TypeError);
  t.end();
});
