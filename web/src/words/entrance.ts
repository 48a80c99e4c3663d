/**
 * The words of the pages before one is inside: log in, register, set-up, no connection, page not found.
 */

import { catalogue } from '../lib/locale.ts';

export const entranceWords = catalogue({
  en: {
    // Fields that more than one of these pages asks for.
    usernameHint: 'A short name to log in with, if you like one better than your e-mail.',
    password: 'Password',
    passwordToChoose: 'Choose a password.',

    // Log in.
    logIn: 'Log in',
    welcomeTo: (site: string) => `Welcome to ${site}.`,
    loggedOut: 'You are logged out. Until next time!',
    sessionEnded: 'Your session has ended. Please log in again.',
    accountDeleted: 'Your account is deleted, and you are logged out everywhere. Farewell!',
    login: 'E-mail or username',
    loginMissing: 'Enter your e-mail address or your username.',
    newHere: 'New here?',

    // Register.
    createAnAccount: 'Create an account',
    aMinute: 'A minute, and you are in.',
    createAccount: 'Create account',
    haveAnAccount: 'Already have an account?',
    registrationClosed: 'Registration is closed',
    askForAnAccount: (site: string) =>
      `New accounts for ${site} are made by the people who run it. Ask them for one; they will be glad to help.`,

    // Set-up.
    setUp: 'Set-up',
    setUpSite: (site: string) => `Set up ${site}`,
    firstAdministrator: 'Whoever holds this link becomes the first administrator. That is you.',
    createAdministrator: 'Create administrator',
    oldLink: 'This link does not open the set-up any more',
    whyOldLink: (site: string) => `It has been used, is older than 30 minutes, or ${site} has an administrator by now.`,
    ifNoneYet: 'If there is none yet, one of these helps:',
    restartServer: 'Restart the server. It gives a fresh link at each start until there is an administrator.',
    orRunThis: 'Or run this beside it:',
    needsLink: 'The set-up needs its link',
    aboutLink: 'While there is no administrator, the server gives a link at each start. It works once, for 30 minutes.',
    lookAtTerminal: 'Look at the terminal in which you started the server, shortly before its ready line.',
    orInFile: 'Without a terminal it is in the data folder, in the file',
    openWholeLink: 'Open the whole link here, with what follows the #.',
    alreadyAdministrator: 'Already an administrator?',

    // No connection, a page that broke, and one that is not there.
    noConnection: 'No connection',
    nobodyAnswers: 'Nobody answers',
    pageBroke: 'This page broke',
    pageNotFound: 'Page not found',
    noDoorHere: 'There is no door here',
    movedOrNever: 'The page you asked for does not exist, or has moved.',
    toFrontPage: 'To the front page',
  },
  de: {
    usernameHint: 'Ein kurzer Name zum Anmelden, falls dir einer lieber ist als deine E-Mail-Adresse.',
    password: 'Passwort',
    passwordToChoose: 'Wähl ein Passwort.',

    logIn: 'Anmelden',
    welcomeTo: (site) => `Willkommen bei ${site}.`,
    loggedOut: 'Du bist abgemeldet. Bis zum nächsten Mal!',
    sessionEnded: 'Deine Sitzung ist beendet. Bitte melde dich noch einmal an.',
    accountDeleted: 'Dein Konto ist gelöscht, und du bist überall abgemeldet. Mach es gut!',
    login: 'E-Mail oder Benutzername',
    loginMissing: 'Gib deine E-Mail-Adresse oder deinen Benutzernamen ein.',
    newHere: 'Neu hier?',

    createAnAccount: 'Konto anlegen',
    aMinute: 'Eine Minute, und du bist drin.',
    createAccount: 'Konto anlegen',
    haveAnAccount: 'Schon ein Konto?',
    registrationClosed: 'Neue Konten sind geschlossen',
    askForAnAccount: (site) =>
      `Neue Konten für ${site} legen die Leute an, die es betreiben. Frag sie danach; sie helfen dir gern.`,

    setUp: 'Einrichtung',
    setUpSite: (site) => `${site} einrichten`,
    firstAdministrator: 'Wer diesen Link hat, wird der erste Admin. Das bist du.',
    createAdministrator: 'Admin anlegen',
    oldLink: 'Dieser Link öffnet die Einrichtung nicht mehr',
    whyOldLink: (site) => `Er ist benutzt, älter als 30 Minuten, oder ${site} hat inzwischen einen Admin.`,
    ifNoneYet: 'Falls es noch keinen gibt, hilft eines davon:',
    restartServer: 'Starte den Server neu. Solange es keinen Admin gibt, nennt er bei jedem Start einen neuen Link.',
    orRunThis: 'Oder führ daneben das hier aus:',
    needsLink: 'Für die Einrichtung fehlt der Link',
    aboutLink:
      'Solange es keinen Admin gibt, nennt der Server bei jedem Start einen Link. Er gilt einmal, 30 Minuten lang.',
    lookAtTerminal:
      'Sieh im Terminal nach, in dem du den Server gestartet hast, kurz vor der Zeile, dass er bereit ist.',
    orInFile: 'Ohne Terminal steht er im Datenordner, in der Datei',
    openWholeLink: 'Öffne hier den ganzen Link, samt dem, was nach dem # kommt.',
    alreadyAdministrator: 'Schon Admin?',

    noConnection: 'Keine Verbindung',
    nobodyAnswers: 'Niemand antwortet',
    pageBroke: 'Diese Seite ist kaputt',
    pageNotFound: 'Seite nicht gefunden',
    noDoorHere: 'Hier ist keine Tür',
    movedOrNever: 'Die Seite, die du suchst, gibt es nicht, oder sie ist umgezogen.',
    toFrontPage: 'Zur Startseite',
  },
});
