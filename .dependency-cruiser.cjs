/**
 * The shape of the workspace, as rules: arrows point down, between packages and between the folders of a package;
 * there are no circles, and a guest sees abi and libos only. The manifests say the same of packages to pnpm; these
 * rules also see relative paths and single files.
 */

/** Packages from the bottom up: a layer may import the layers before it. */
const LAYERS = [
  "packages/abi",
  "packages/trace",
  "packages/hal",
  "packages/engine",
  "packages/kernel",
  "packages/inspect",
  "packages/libos",
  "packages/image",
  "packages/servers",
  "packages/machine",
  "packages/explorer",
  "packages/model",
  "packages/stress",
  "bench",
  "packages/cli",
  "test",
];

/** Folders of a package from the bottom up; what lies beside them is above them all. */
const FOLDERS = {
  "packages/hal": ["memory", "cpu", "device", "host"],
  "packages/engine": ["generator"],
  "packages/kernel": ["state", "sched", "smp", "capability", "ipc", "object", "loop", "boot"],
  "packages/explorer": ["explore", "transform", "history", "campaign", "survey", "scenario"],
};

const rule = (name, from, to) => ({ name, severity: "error", from: { path: from }, to: { path: to } });

const packagesPointDown = LAYERS.slice(0, -1).map((layer, index) =>
  rule(
    `${layer.replace("packages/", "")}-imports-lower-packages-only`,
    `^${layer}/`,
    `^(${LAYERS.slice(index + 1).join("|")})/`,
  ),
);

const foldersPointDown = Object.entries(FOLDERS).flatMap(([layer, folders]) =>
  folders.map((folder, index) =>
    rule(
      `${layer.replace("packages/", "")}-${folder}-imports-lower-folders-only`,
      `^${layer}/src/${folder}/`,
      // A folder above it, or a file beside the folders; engine's files are its interface, below its kinds.
      `^${layer}/src/((${[...folders.slice(index + 1), "-"].join("|")})/${layer.endsWith("engine") ? "" : "|[^/]+$"})`,
    ),
  ),
);

const GUESTS = "^(packages/servers/src|bench/src|packages/stress/src|test/src/kernel)/guests/";

module.exports = {
  forbidden: [
    ...packagesPointDown,
    ...foldersPointDown,
    {
      name: "the-explorer-knows-nothing-of-capos",
      severity: "error",
      from: { path: "^packages/explorer/" },
      to: { path: "^(packages|bench|test)/", pathNot: "^packages/explorer/" },
    },
    {
      name: "libos-imports-abi-only",
      severity: "error",
      from: { path: "^packages/libos/" },
      to: { path: "^(packages|bench|test)/", pathNot: "^packages/(libos|abi)/" },
    },
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
      name: "the-command-line-needs-no-tools",
      comment: "`npm start` installs no devDependencies, and builds all packages but the tests.",
      severity: "error",
      from: { path: "^(packages|bench)/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg"] },
    },
    {
      name: "guests-import-abi-and-libos-only",
      comment: "A guest's image is evaluated where nothing else exists.",
      severity: "error",
      // Beside the kernel's test guests lie the tests that run them.
      from: { path: GUESTS, pathNot: "[.]test[.]ts$" },
      to: { pathNot: ["^packages/(abi|libos)/", GUESTS] },
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
