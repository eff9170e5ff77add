// Whether two values that the API sent are the same one. Pure.

/** True where two API values are the same; lists are compared without their order. */
export function same(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
  if (isPlainObject(a) && isPlainObject(b)) {
    const keys = Object.keys(a).sort();
    return JSON.stringify(keys) === JSON.stringify(Object.keys(b).sort()) && keys.every((key) => same(a[key], b[key]));
  }
  return a === b;
}

export function isPlainObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
