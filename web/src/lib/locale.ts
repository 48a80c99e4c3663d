/**
 * The language that the page is shown in, and how a part of the app keeps its words in each. The server decides which
 * language it is, before anything is drawn, and says so in the document.
 */

export const LOCALES = ['en', 'de'] as const;

export type Locale = (typeof LOCALES)[number];

/** What the document says, English where that is none of ours. */
export function locale(): Locale {
  return LOCALES.find((known) => document.documentElement.lang === known) ?? 'en';
}

/** A language's words take the form of the English ones: the same keys, and functions of the same arguments. */
type Translated<Words> = {
  readonly [Key in keyof Words]: Words[Key] extends string
    ? string
    : Words[Key] extends (...values: infer Values) => string
      ? (...values: Values) => string
      : Translated<Words[Key]>;
};

/**
 * The words of one part of the app, each language beside the other. The function it gives answers with those of the
 * page's language; a word that has a value in it is a function of that value.
 */
export function catalogue<const Words>(words: { en: Words; de: Translated<Words> }): () => Translated<Words> {
  return () => (locale() === 'de' ? words.de : (words.en as Translated<Words>));
}
