// Fetches a pinned npm package without installing it: `npm pack` checks the registry's integrity hash itself.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The parsed JSON file `path` (inside the package) of `name@version`. */
export function jsonFromPackage(name, version, path) {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-npm-'));
  try {
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--silent', `${name}@${version}`], { cwd: dir, encoding: 'utf8' }),
    );
    execFileSync('tar', ['-xzf', packed.filename, `package/${path}`], { cwd: dir });
    return JSON.parse(readFileSync(join(dir, 'package', path), 'utf8'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
