/**
 * Runs before any package manager installs here: npm can't, and leaves no packages that work.
 *
 * `npm ci` says so by itself, for there is no lock file of npm's.
 */
if (process.env.npm_config_user_agent?.startsWith("npm/")) {
  process.stderr.write(
    "capos: npm cannot install this workspace; run `npm start` or `npm test`, which install what they need\n",
  );
  process.exitCode = 1;
}
