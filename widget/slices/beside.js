// What stands beside a question: what goes along with deletions, by their numbers; the other fields of a conflict's row;
// what is kept apart, while somebody looks at it; the row chosen in Grist and how it stands.

export const initial = { table: null, along: {}, row: null, apart: null, chosen: null };

export function reduce(part, event) {
  switch (event.type) {
    case "table": return { ...part, table: event.table };
    case "along": return { ...part, along: event.along };
    case "apart": return { ...part, apart: event.apart };
    case "row": return { ...part, row: event.row };
    case "chosen": return { ...part, chosen: event.row };
    default: throw new Error(`What stands beside a question does not know the event ${event.type}`);
  }
}
