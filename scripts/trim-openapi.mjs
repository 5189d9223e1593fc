#!/usr/bin/env node
// Writes tests/data/github-openapi.json: GitHub's own description of its REST API, cut down to the operations listed in
// scripts/github-operations.txt and without prose. Run it after changing that list or the version below:
//
//     node scripts/trim-openapi.mjs
//
// Needs Node 20, npm's registry and tar. The tests read the committed file and need none of them.
import { readFileSync, writeFileSync } from 'node:fs';
import { jsonFromPackage } from './lib/npm.mjs';
import { closure, onePerLine, withoutProse } from './lib/schema.mjs';

const PACKAGE = '@octokit/openapi';
const VERSION = '23.0.2';
const FILE = 'generated/api.github.com.json';
const LIST = new URL('./github-operations.txt', import.meta.url);
const OUTPUT = new URL('../tests/data/github-openapi.json', import.meta.url);

const description = jsonFromPackage(PACKAGE, VERSION, FILE);

const wanted = readFileSync(LIST, 'utf8')
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(/\s+/));

/** Only JSON is spoken; other media types of an answer (raw, HTML) are dropped with their examples. */
function trimContent(content) {
  const json = content?.['application/json'];
  return json === undefined ? undefined : { 'application/json': { schema: withoutProse(json.schema ?? {}) } };
}

function trimResponse(response) {
  if (response.$ref) return { $ref: response.$ref };
  const content = trimContent(response.content);
  return content === undefined ? {} : { content };
}

function trimParameter(parameter) {
  if (parameter.$ref) return { $ref: parameter.$ref };
  const { name, in: where, required, schema } = parameter;
  const kept = { name, in: where, schema: withoutProse(schema ?? {}) };
  if (required) kept.required = true;
  if (parameter['x-multi-segment']) kept['x-multi-segment'] = true;
  return kept;
}

function trimOperation(operation) {
  const kept = {
    operationId: operation.operationId,
    enabledForGitHubApps: operation['x-github']?.enabledForGitHubApps === true,
    parameters: (operation.parameters ?? []).map(trimParameter),
    responses: Object.fromEntries(
      Object.entries(operation.responses).map(([status, response]) => [status, trimResponse(response)]),
    ),
  };
  if (operation.requestBody) {
    kept.requestBody = {
      required: operation.requestBody.required === true,
      content: trimContent(operation.requestBody.content),
    };
  }
  return kept;
}

const paths = {};
for (const [method, path] of wanted) {
  const operation = description.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) {
    console.error(`${method} ${path} is not in ${PACKAGE} ${VERSION}: correct scripts/github-operations.txt`);
    process.exit(1);
  }
  (paths[path] ??= {})[method.toLowerCase()] = trimOperation(operation);
}

const lookUp = (reference) =>
  reference
    .replace(/^#\//, '')
    .split('/')
    .reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], description);

const components = {};
for (const [reference, target] of closure(paths, lookUp, trimComponent)) {
  const [, , kind, name] = reference.split('/');
  (components[kind] ??= {})[name] = target;
}

function trimComponent(target, reference) {
  const kind = reference.split('/')[2];
  if (kind === 'parameters') return trimParameter(target);
  if (kind === 'responses') return trimResponse(target);
  return withoutProse(target);
}

const trimmed = {
  openapi: description.openapi,
  info: {
    title: `Taken from ${PACKAGE} ${VERSION}, ${FILE} (MIT), by scripts/trim-openapi.mjs`,
    version: VERSION,
  },
  paths,
  components,
};
const text = `${onePerLine(trimmed, 3)}\n`;
writeFileSync(OUTPUT, text);
console.log(`${wanted.length} operations, ${Object.keys(components.schemas).length} schemas, ${text.length} bytes`);
for (const [path, methods] of Object.entries(paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    if (!operation.enabledForGitHubApps) console.warn(`not for GitHub Apps: ${method.toUpperCase()} ${path}`);
  }
}
