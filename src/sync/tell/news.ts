/** Tells news from what was said before. */

/** What was said last, by its subject. */
export type Told = ReadonlyMap<string, string>;

/** What is said in one cycle. */
export interface News {
  /** Whether this is new on its subject; from then on it is not. An empty text is never news. */
  isNew(subject: string, text: string): boolean;
  /** What has been said by now. */
  told(): Told;
}

/** Goes on from what was said before. */
export function createNews(before: Told): News {
  const told = new Map(before);
  return {
    isNew(subject, text) {
      const last = told.get(subject);
      if (text === "") told.delete(subject);
      else told.set(subject, text);
      return text !== "" && text !== last;
    },
    told: () => told,
  };
}

/** Names people, the first hundred of them. */
export function listPeople(people: readonly string[]): string {
  const more = people.length - 100;
  return more > 0 ? `${people.slice(0, 100).join(", ")} and ${more} more` : people.join(", ");
}
