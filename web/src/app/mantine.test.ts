import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

/** The styles of Mantine are brought in for each component by itself; a new component must bring its own. */

const MODULES = resolve('node_modules/@mantine');
const STYLES = join(MODULES, 'core/styles');
const SPECIFIER = /from\s*["']([^"']+)["']/g;

const filesBelow = (folder: string, endings: RegExp): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => endings.test(file))
    .map((file) => join(folder, file));

const namesFrom = (module: string, text: string): string[] =>
  [...text.matchAll(new RegExp(`import \\{([^}]*)\\} from ["']${module}["']`, 'g'))]
    .flatMap(([, names]) => (names ?? '').split(','))
    .map((name) => name.replace(/^\s*type\s.*/, '').trim())
    .filter(Boolean);

/** The file of each component, of which some stand in the folder of another. */
const componentFiles = new Map(
  filesBelow(join(MODULES, 'core/esm/components'), /\.mjs$/).map((file) => [
    file.slice(file.lastIndexOf('/') + 1, -'.mjs'.length),
    file,
  ]),
);

/** Every file that these components are made of. */
function reachable(names: string[]): Set<string> {
  const seen = new Set<string>();
  const queue = names.flatMap((name) => componentFiles.get(name) ?? []);
  for (let file = queue.pop(); file; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(SPECIFIER)) {
      if (specifier.startsWith('.')) queue.push(resolve(dirname(file), specifier));
    }
  }
  return seen;
}

const imported = [...readFileSync('src/app/mantine.css', 'utf8').matchAll(/styles\/(\w[\w-]*)\.css/g)].map(
  ([, name]) => name ?? '',
);

it('brings the styles of every component that is shown', () => {
  const sources = filesBelow('src', /\.tsx?$/).map((file) => readFileSync(file, 'utf8'));
  const extensions = ['notifications'].flatMap((name) =>
    filesBelow(join(MODULES, name, 'esm'), /\.mjs$/).map((file) => readFileSync(file, 'utf8')),
  );
  const used = [...sources, ...extensions].flatMap((text) => namesFrom('@mantine/core', text));
  const styled = [...reachable(used)].flatMap((file) => {
    const name = /(\w+)\.module\.mjs$/.exec(file)?.[1];
    return name && existsSync(join(STYLES, `${name}.css`)) ? [name] : [];
  });

  expect([...new Set(styled)].filter((name) => !imported.includes(name))).toEqual([]);
});

it('brings them in the order in which one may change another', () => {
  const all = readFileSync(join(MODULES, 'core/styles.css'), 'utf8');
  // What all begin with is alike in many; the classes are each one's own.
  const place = (name: string) => {
    const [ownClass] = /\.m_\w+/.exec(readFileSync(join(STYLES, `${name}.css`), 'utf8')) ?? [];
    return ownClass ? all.indexOf(ownClass) : -1;
  };
  const places = imported.map(place);

  expect(places).toEqual([...places].sort((one, other) => one - other));
});
