// What both trimming scripts share: taking the prose out of a schema, following its references, writing it down.

// Left out of a schema: what is said to people, and what no validator reads.
const PROSE = new Set([
  '$schema',
  'default',
  'deprecated',
  'description',
  'discriminator',
  'example',
  'examples',
  'externalDocs',
  'readOnly',
  'title',
  'tsAdditionalProperties',
]);
// Keys whose values are names, not keywords.
const MAPS = new Set(['properties', 'patternProperties', 'definitions']);

/** A copy of a JSON schema without prose. Names of properties are kept, `description` and `title` among them. */
export function withoutProse(schema) {
  if (Array.isArray(schema)) return schema.map(withoutProse);
  if (schema === null || typeof schema !== 'object') return schema;
  const kept = {};
  for (const [key, value] of Object.entries(schema)) {
    if (PROSE.has(key) || key.startsWith('x-')) continue;
    if (MAPS.has(key)) {
      kept[key] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutProse(inner)]));
    } else if (key === 'enum' || key === 'const' || key === 'required') {
      kept[key] = value;
    } else {
      kept[key] = withoutProse(value);
    }
  }
  return kept;
}

/** Calls `found` with every `$ref` below `value`. */
export function eachRef(value, found) {
  if (value === null || typeof value !== 'object') return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') found(inner);
    else eachRef(inner, found);
  }
}

/**
 * Every reference that can be reached from `roots`, with what it points at, trimmed by `trim(target, reference)`.
 * `lookUp(reference)` answers the untrimmed target.
 */
export function closure(roots, lookUp, trim) {
  const reached = new Map();
  const waiting = [];
  const note = (reference) => {
    if (!reached.has(reference)) {
      reached.set(reference, undefined);
      waiting.push(reference);
    }
  };
  eachRef(roots, note);
  while (waiting.length > 0) {
    const reference = waiting.pop();
    const target = lookUp(reference);
    if (target === undefined) throw new Error(`${reference} points at nothing`);
    const trimmed = trim(target, reference);
    reached.set(reference, trimmed);
    eachRef(trimmed, note);
  }
  return new Map([...reached].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON with one line per entry down to `depth`, so that a newer description shows as a readable difference. */
export function onePerLine(value, depth, indent = '') {
  if (depth === 0 || value === null || typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value);
  const inner = indent + ' ';
  const lines = Object.entries(value).map(
    ([key, entry]) => `${inner}${JSON.stringify(key)}: ${onePerLine(entry, depth - 1, inner)}`,
  );
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}
