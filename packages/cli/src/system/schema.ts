/** What a system's description may say, as a JSON schema: `capos-smp up --schema` prints it. */
import { MAX_CORES, MAX_MEMORY_MIB, MAX_NAME_BYTES, MIN_MEMORY_MIB, USER_CEILING } from "@capos/abi";

const NAME = { type: "string", minLength: 1, maxLength: MAX_NAME_BYTES, pattern: "^[\\w.-]+$" } as const;
const MILLISECONDS = { type: "integer", minimum: 0, maximum: 2 ** 31 - 1 } as const;

export const SYSTEM_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "A system of capos programs",
  type: "object",
  additionalProperties: false,
  required: ["programs"],
  properties: {
    machine: {
      type: "object",
      additionalProperties: false,
      properties: {
        cores: { type: "integer", minimum: 1, maximum: MAX_CORES },
        memory: { description: "MiB", type: "integer", minimum: MIN_MEMORY_MIB, maximum: MAX_MEMORY_MIB },
      },
    },
    supervisor: {
      type: "object",
      additionalProperties: false,
      properties: {
        strategy: { enum: ["one-for-one", "one-for-all", "rest-for-one"] },
        limit: {
          type: "object",
          additionalProperties: false,
          required: ["restarts", "withinMs"],
          properties: {
            restarts: { type: "integer", minimum: 0, maximum: 1000 },
            withinMs: { ...MILLISECONDS, minimum: 1 },
          },
        },
        backOff: {
          type: "object",
          additionalProperties: false,
          required: ["firstMs", "mostMs"],
          properties: { firstMs: MILLISECONDS, mostMs: MILLISECONDS },
        },
      },
    },
    programs: {
      description: "by name",
      type: "object",
      minProperties: 1,
      maxProperties: 64,
      propertyNames: NAME,
      additionalProperties: {
        type: "object",
        additionalProperties: false,
        required: ["image"],
        properties: {
          image: {
            description: "a guest's file, from the description's folder",
            type: "string",
            minLength: 1,
          },
          args: { type: "array", items: { type: "string" } },
          core: { type: "integer", minimum: 0, maximum: MAX_CORES - 1 },
          priority: { type: "integer", minimum: 0, maximum: USER_CEILING },
          threads: { type: "integer", minimum: 1, maximum: 1000 },
          memory: {
            description: "bytes, a power of two, or 0",
            type: "integer",
            minimum: 0,
            maximum: 2 ** 30,
          },
          restart: { enum: ["permanent", "transient", "temporary"] },
          names: { description: "whether it has the names service", type: "boolean" },
          provides: { description: "endpoints", type: "array", uniqueItems: true, items: NAME },
          uses: {
            description: "endpoints that others provide, and what may be done with them besides calling",
            type: "object",
            propertyNames: NAME,
            additionalProperties: { type: "array", uniqueItems: true, items: { enum: ["grant", "revoke"] } },
          },
          after: {
            description: "programs that are started before it",
            type: "array",
            uniqueItems: true,
            items: NAME,
          },
        },
      },
    },
  },
} as const;
