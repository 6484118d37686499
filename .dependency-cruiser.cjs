/**
 * The shape of the workspace, as rules: arrows point down, no circles, and a guest sees abi and libos
 * only. The manifests say the same to pnpm; these rules also see relative paths and single files.
 */

/** From the bottom up: a layer may import the layers before it. */
const LAYERS = [
  "packages/abi",
  "packages/hal",
  "packages/kernel",
  "packages/libos",
  "packages/servers",
  "bench",
  "packages/checker",
  "packages/cli",
  "test",
];

const downwardsOnly = LAYERS.slice(0, -1).map((layer, index) => ({
  name: `${layer.replace("packages/", "")}-imports-lower-layers-only`,
  severity: "error",
  from: { path: `^${layer}/` },
  to: { path: `^(${LAYERS.slice(index + 1).join("|")})/` },
}));

const GUESTS = "^(packages/servers/src|bench/src|packages/checker/src/stress)/guests/";

module.exports = {
  forbidden: [
    ...downwardsOnly,
    {
      name: "no-circles",
      comment: "Circles of types count too: they are as hard to take apart.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "everything-resolves",
      comment: "An import that is not found escapes every other rule.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "guests-import-abi-and-libos-only",
      comment: "A guest's image is evaluated where nothing else exists.",
      severity: "error",
      from: { path: GUESTS },
      to: { pathNot: ["^packages/(abi|libos)/", GUESTS] },
    },
    {
      name: "guests-do-not-import-the-image-builder",
      severity: "error",
      from: { path: GUESTS },
      to: { path: "^packages/libos/(src|dist)/image/" },
    },
  ],
  options: {
    doNotFollow: { path: "(^|/)(node_modules|dist)/" },
    tsConfig: { fileName: "tsconfig.base.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
