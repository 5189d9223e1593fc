#!/usr/bin/env node
// Writes tests/data/github-webhooks.json: the schemas of the webhook payloads listed in scripts/github-webhooks.txt,
// without prose, each from the first of two sources that has it:
//   schemas      @octokit/webhooks-schemas, JSON Schema draft-07, small
//   description  the x-webhooks of GitHub's own description of its REST API, OpenAPI 3.0: newer and wider, and each
//                payload written out in full, 12 kB apiece
// Run it after changing that list or the versions below:
//
//     node scripts/trim-webhooks.mjs
//
// Needs Node 20, npm's registry and tar. The tests read the committed file and need none of them.
import { readFileSync, writeFileSync } from 'node:fs';
import { jsonFromPackage } from './lib/npm.mjs';
import { closure, onePerLine, withoutProse } from './lib/schema.mjs';

const SCHEMAS = { name: '@octokit/webhooks-schemas', version: '7.6.1', file: 'schema.json' };
const DESCRIPTION = { name: '@octokit/openapi', version: '23.0.2', file: 'generated/api.github.com.json' };
const LIST = new URL('./github-webhooks.txt', import.meta.url);
const OUTPUT = new URL('../tests/data/github-webhooks.json', import.meta.url);

const wanted = readFileSync(LIST, 'utf8')
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.startsWith('#'));

/**
 * What the first source knows less of than GitHub sends: the former owner of a repository may be an organisation, and
 * discussions can be closed.
 */
const OUTDATED = (name) => name === 'repository.transferred' || name.startsWith('discussion');

/** The names among `known` (as `event` or `event.action`) that the list asks for. */
function chosen(known) {
  return known.filter((name) =>
    wanted.some((want) => (want.endsWith('.*') ? name.startsWith(want.slice(0, -1)) : name === want)),
  );
}

const schemas = jsonFromPackage(SCHEMAS.name, SCHEMAS.version, SCHEMAS.file);
const description = jsonFromPackage(DESCRIPTION.name, DESCRIPTION.version, DESCRIPTION.file);

/** `issues$opened` is issues.opened, `push$event` is push. */
const inSchemas = new Map(
  Object.keys(schemas.definitions)
    .filter((key) => key.includes('$'))
    .map((key) => [key.replace(/\$event$/, '').replace('$', '.'), key])
    .filter(([name]) => !OUTDATED(name)),
);

/** The operation `issue-comment/created` of the category `issue_comment` is issue_comment.created. */
const inDescription = new Map(
  Object.values(description['x-webhooks']).map(({ post }) => {
    const [, action] = post.operationId.split('/');
    const event = post['x-github'].subcategory.replaceAll('-', '_');
    return [action === undefined ? event : `${event}.${action.replaceAll('-', '_')}`, post.requestBody];
  }),
);

const lookUp = (document) => (reference) =>
  reference
    .replace(/^#\//, '')
    .split('/')
    .reduce((at, key) => at?.[key], document);

/** Both sources keep their definitions under one key in the file, so references are spelled alike. */
function respelled(value) {
  return JSON.parse(JSON.stringify(value).replaceAll('"#/components/schemas/', '"#/definitions/'));
}

function collect(document, entries) {
  const definitions = {};
  for (const [reference, target] of closure(entries, lookUp(document), withoutProse)) {
    definitions[reference.split('/').at(-1)] = respelled(target);
  }
  return { events: respelled(entries), definitions };
}

const fromSchemas = Object.fromEntries(
  chosen([...inSchemas.keys()]).map((name) => [name, { $ref: `#/definitions/${inSchemas.get(name)}` }]),
);
const fromDescription = Object.fromEntries(
  chosen([...inDescription.keys()])
    .filter((name) => !inSchemas.has(name))
    .map((name) => [name, withoutProse(inDescription.get(name).content['application/json'].schema)]),
);

for (const want of wanted) {
  const found = [...Object.keys(fromSchemas), ...Object.keys(fromDescription)];
  if (!found.some((name) => (want.endsWith('.*') ? name.startsWith(want.slice(0, -1)) : name === want))) {
    console.error(`${want} is in neither source: correct scripts/github-webhooks.txt`);
    process.exit(1);
  }
}

const source = ({ name, version, file }) => `${name} ${version}, ${file} (MIT), by scripts/trim-webhooks.mjs`;
const trimmed = {
  schemas: { source: source(SCHEMAS), ...collect(schemas, fromSchemas) },
  description: { source: source(DESCRIPTION), ...collect(description, fromDescription) },
};
const text = `${onePerLine(trimmed, 3)}\n`;
writeFileSync(OUTPUT, text);
for (const [kind, { events, definitions }] of Object.entries(trimmed)) {
  const [have, support] = [Object.keys(events).length, Object.keys(definitions).length];
  console.log(`${kind}: ${have} payloads, ${support} definitions`);
}
console.log(`${text.length} bytes`);
