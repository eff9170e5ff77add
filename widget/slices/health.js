// Health: the last answer of the service about itself, and whether it is being asked again.

export const initial = { answer: null, copied: false, asked: null };

export function reduce(part, event) {
  switch (event.type) {
    case "answer": return { ...part, answer: event.answer };
    case "copied": return { ...part, copied: event.on };
    case "ask": return { ...part, asked: event.asked };
    default: throw new Error(`Health does not know the event ${event.type}`);
  }
}

/** Lines that need somebody first, each group in the order of the answer. */
export function sortedParts(answer) {
  return [...answer.parts.filter((one) => one.needs_you), ...answer.parts.filter((one) => !one.needs_you)];
}
