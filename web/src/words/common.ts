/**
 * The words that any page may say: the frame around pages, the kit, devices, and why something did not work.
 */

import type { FieldError } from '@vestibule/client';
import { catalogue } from '../lib/locale.ts';

export const commonWords = catalogue({
  en: {
    // The frame of the pages for those who are signed in.
    yourPages: 'Your pages',
    dashboard: 'Dashboard',
    account: 'Account',
    admin: 'Admin',
    logOut: 'Log out',
    stillLoggedIn: (why: string) => `You are still logged in. ${why}`,
    offline: 'You are offline. What you see may be old.',
    noAnswer: 'The server does not answer. What you see may be old.',

    // What an account has, in forms and lists.
    email: 'E-mail',
    emailMissing: 'Enter your e-mail address.',
    username: 'Username',
    name: 'Name',
    passwordMissing: 'Enter your password.',
    passwordHint: 'Long beats complicated. A few words that only you would put together work well.',

    // The kit.
    optional: '(optional)',
    showPassword: 'Show password',
    oneMoment: 'One moment…',
    tryAgain: 'Try again',
    cancel: 'Cancel',

    // Devices and times.
    unknownDevice: 'Unknown device',
    programOnSystem: (program: string, system: string) => `${program} on ${system}`,
    justNow: 'just now',
    aMoment: 'a moment',
    seconds: (count: number) => (count === 1 ? '1 second' : `${count} seconds`),
    minutes: (count: number) => (count === 1 ? '1 minute' : `${count} minutes`),
    hours: (count: number) => (count === 1 ? '1 hour' : `${count} hours`),

    // Why something did not work.
    reference: (id: string) => `Reference: ${id}`,
    somethingWentWrong: 'Something went wrong, and it was not you. Please try again in a moment.',
    lookBelow: 'Almost there. Please look at what is marked below.',
    emailTaken: 'This e-mail address already has an account. You can log in with it.',
    usernameTaken: 'This username is taken. Please choose another.',
    notYourPassword: 'That is not your password. Please try again.',
    didNotMatch: 'That did not match. Check your e-mail or username, and your password.',
    triedTooOften: (wait: string) => `That was tried too often. Please wait ${wait}, then try again.`,
    serverBusy: (wait: string) => `The server is busy right now. Please try again in ${wait}.`,
    serverOutOfReach: 'The server could not be reached. Check your connection, then try again.',
    /** The server speaks English, so that what it says of a field is said as it comes. */
    refusedField: ({ message }: FieldError) => message,
    conflict: (message: string) => message,
  },
  de: {
    yourPages: 'Deine Seiten',
    dashboard: 'Übersicht',
    account: 'Konto',
    admin: 'Verwaltung',
    logOut: 'Abmelden',
    stillLoggedIn: (why) => `Du bist noch angemeldet. ${why}`,
    offline: 'Du bist offline. Was du siehst, ist vielleicht nicht mehr aktuell.',
    noAnswer: 'Der Server antwortet nicht. Was du siehst, ist vielleicht nicht mehr aktuell.',

    email: 'E-Mail',
    emailMissing: 'Gib deine E-Mail-Adresse ein.',
    username: 'Benutzername',
    name: 'Name',
    passwordMissing: 'Gib dein Passwort ein.',
    passwordHint: 'Lang schlägt kompliziert. Gut sind ein paar Wörter, die nur du so zusammenstellst.',

    optional: '(freiwillig)',
    showPassword: 'Passwort zeigen',
    oneMoment: 'Einen Moment …',
    tryAgain: 'Noch einmal versuchen',
    cancel: 'Abbrechen',

    unknownDevice: 'Unbekanntes Gerät',
    programOnSystem: (program, system) => `${program} auf ${system}`,
    justNow: 'gerade eben',
    aMoment: 'einen Moment',
    seconds: (count) => (count === 1 ? 'eine Sekunde' : `${count} Sekunden`),
    minutes: (count) => (count === 1 ? 'eine Minute' : `${count} Minuten`),
    hours: (count) => (count === 1 ? 'eine Stunde' : `${count} Stunden`),

    reference: (id) => `Kennung: ${id}`,
    somethingWentWrong: 'Da ist etwas schiefgegangen, und es lag nicht an dir. Bitte versuch es gleich noch einmal.',
    lookBelow: 'Fast geschafft. Bitte sieh dir an, was unten markiert ist.',
    emailTaken: 'Zu dieser E-Mail-Adresse gibt es schon ein Konto. Du kannst dich damit anmelden.',
    usernameTaken: 'Dieser Benutzername ist vergeben. Bitte wähl einen anderen.',
    notYourPassword: 'Das ist nicht dein Passwort. Bitte versuch es noch einmal.',
    didNotMatch: 'Das hat nicht gepasst. Sieh dir E-Mail oder Benutzername und dein Passwort noch einmal an.',
    triedTooOften: (wait) => `Das waren zu viele Versuche. Bitte warte ${wait}, dann geht es wieder.`,
    serverBusy: (wait) => `Der Server hat gerade viel zu tun. Bitte versuch es noch einmal; warte vorher ${wait}.`,
    serverOutOfReach: 'Der Server ist nicht zu erreichen. Prüf deine Verbindung und versuch es noch einmal.',
    refusedField: ({ field, code, message }) => {
      const say = REFUSED_IN_GERMAN[`${field}.${code}`] ?? REFUSED_IN_GERMAN[code];
      // A rule may have come with a newer server; its English sentence tells more than a vague German one.
      return say?.(/\d+/.exec(message)?.[0] ?? null) ?? message;
    },
    conflict: () =>
      'Das geht so nicht. Der letzte Admin kann weder herabgestuft noch gesperrt noch gelöscht werden, und ein ' +
      'gelöschtes Konto muss erst wiederhergestellt werden.',
  },
});

/**
 * What breaks which rule, by the server's word for the rule, after the field's name where it depends on that. Each is
 * told the bound, which is the first number in the server's sentence, as only the server knows it.
 */
const REFUSED_IN_GERMAN: Record<string, (bound: string | null) => string> = {
  required: () => 'Bitte füll dieses Feld aus.',
  'current_password.required': () => 'Dafür brauchen wir dein jetziges Passwort.',
  blank: () => 'Hier fehlt noch mindestens ein Zeichen.',
  too_long: (bound) =>
    bound
      ? `Das ist zu lang. Mehr als ${bound} Zeichen gehen nicht, und Umlaute können doppelt zählen.`
      : 'Das ist zu lang.',
  control_character: () => 'Hier steht ein unsichtbares Steuerzeichen. Bitte tipp den Text neu.',
  nul_character: () => 'Ein Passwort kann kein NUL-Zeichen enthalten. Bitte wähl ein anderes.',
  invalid_email: () => 'Eine E-Mail-Adresse sieht aus wie ada@example.org. Bitte sieh sie dir noch einmal an.',
  invalid_username: () =>
    'Ein Benutzername hat 3 bis 32 Zeichen: Buchstaben von A bis Z, Ziffern, Punkte, Binde- und Unterstriche; am ' +
    'Anfang einen Buchstaben oder eine Ziffer.',
  invalid_role: () => 'Eine Rolle hat 1 bis 32 Zeichen: Buchstaben von a bis z, Ziffern, Binde- und Unterstriche.',
  too_short: (bound) =>
    `Nimm mindestens ${bound ?? 'ein paar mehr'} Zeichen; ein paar Wörter hintereinander sind leicht zu merken.`,
  common_password: () => 'Dieses Passwort ist eines der häufigsten und würde zuerst erraten. Bitte wähl ein anderes.',
  password_is_name: () => 'Dieses Passwort wäre leicht aus Namen zu erraten. Bitte wähl ein anderes.',
};
