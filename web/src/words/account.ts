/**
 * The words of the account page, section by section.
 */

import { catalogue } from '../lib/locale.ts';

export const accountWords = catalogue({
  en: {
    title: 'Your account',
    lead: 'Who you are here, and where you are logged in.',
    yourPassword: 'Your password',

    // Profile.
    profile: 'Profile',
    aboutProfile: 'What you are called, and what you log in with.',
    asksForPassword: 'Changing it asks for your password.',
    whyPassword: 'So that nobody else changes what you log in with.',
    saveChanges: 'Save changes',
    profileSaved: 'Your profile is saved.',

    // Password.
    password: 'Password',
    aboutPassword: 'A new password logs out every other device. This one stays logged in.',
    currentPassword: 'Current password',
    currentPasswordMissing: 'Enter the password that you have now.',
    newPassword: 'New password',
    newPasswordMissing: 'Choose a new password.',
    changePassword: 'Change password',
    passwordChanged: 'Your password is changed. Every other device is logged out.',

    // Devices.
    devices: 'Devices',
    aboutDevices: 'Where you are logged in. If you do not know one, log it out and change your password.',
    lookingForDevices: 'Looking for your devices…',
    thisDevice: 'This device',
    inUseNow: 'In use now',
    /** Before how long ago. */
    lastUsed: 'Last used',
    /** Before a day, with the address after it where that is known. */
    loggedIn: 'Logged in',
    fromAddress: (address: string) => `from ${address}`,
    logOut: 'Log out',
    logOutDevice: (device: string) => `Log out ${device}`,
    loggedOutDevice: (device: string) => `${device} is logged out.`,
    stillLoggedIn: (why: string) => `It is still logged in. ${why}`,
    showAll: (count: number) => `Show all ${count}`,
    logOutOthers: 'Log out all other devices',
    logOutOthersQuestion: 'Log out all other devices?',
    aboutOthers: (count: number) =>
      `${count === 1 ? 'The other device has' : `The other ${count} devices have`} to log in again. This one stays logged in.`,
    logOutAllOthers: 'Log out all others',
    othersLoggedOut: 'Every other device is logged out.',

    // Light or dark.
    appearance: 'Appearance',
    aboutAppearance: 'For this browser alone. System follows what your device is set to.',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },

    // A copy of everything.
    yourData: 'Your data',
    aboutYourData: 'Everything that is kept about you, as one file that programs can read (JSON).',
    downloadData: 'Download my data',
    downloaded: 'Your file is downloaded.',

    // The end of the account.
    deletion: 'Delete your account',
    aboutDeletion: 'You are logged out everywhere, and cannot log in again.',
    whatDeletionMeans: (site: string) =>
      `The people who run ${site} can bring your account back for a time: 30 days, unless they have chosen ` +
      'otherwise. After that it is gone for good. Your e-mail address and username are free for a new account at once.',
    deleteAccount: 'Delete account…',
    deletionQuestion: 'Delete your account?',
    noWayBack: 'You cannot undo this yourself. Enter your password if you are sure.',
    deleteMyAccount: 'Delete my account',
    keepMyAccount: 'Keep my account',
  },
  de: {
    title: 'Dein Konto',
    lead: 'Wer du hier bist und wo du angemeldet bist.',
    yourPassword: 'Dein Passwort',

    profile: 'Profil',
    aboutProfile: 'Wie du heißt und womit du dich anmeldest.',
    asksForPassword: 'Wenn du das änderst, fragen wir nach deinem Passwort.',
    whyPassword: 'Damit niemand sonst ändert, womit du dich anmeldest.',
    saveChanges: 'Änderungen speichern',
    profileSaved: 'Dein Profil ist gespeichert.',

    password: 'Passwort',
    aboutPassword: 'Ein neues Passwort meldet alle anderen Geräte ab. Dieses bleibt angemeldet.',
    currentPassword: 'Jetziges Passwort',
    currentPasswordMissing: 'Gib das Passwort ein, das du jetzt hast.',
    newPassword: 'Neues Passwort',
    newPasswordMissing: 'Wähl ein neues Passwort.',
    changePassword: 'Passwort ändern',
    passwordChanged: 'Dein Passwort ist geändert. Alle anderen Geräte sind abgemeldet.',

    devices: 'Geräte',
    aboutDevices: 'Wo du angemeldet bist. Wenn du eines nicht kennst, meld es ab und ändere dein Passwort.',
    lookingForDevices: 'Wir sehen nach deinen Geräten …',
    thisDevice: 'Dieses Gerät',
    inUseNow: 'Gerade in Gebrauch',
    lastUsed: 'Zuletzt benutzt',
    loggedIn: 'Angemeldet am',
    fromAddress: (address) => `von ${address}`,
    logOut: 'Abmelden',
    logOutDevice: (device) => `${device} abmelden`,
    loggedOutDevice: (device) => `${device} ist abgemeldet.`,
    stillLoggedIn: (why) => `Es ist noch angemeldet. ${why}`,
    showAll: (count) => `Alle ${count} zeigen`,
    logOutOthers: 'Alle anderen Geräte abmelden',
    logOutOthersQuestion: 'Alle anderen Geräte abmelden?',
    aboutOthers: (count) =>
      `${count === 1 ? 'Auf dem anderen Gerät' : `Auf den anderen ${count} Geräten`} musst du dich neu anmelden. Dieses bleibt angemeldet.`,
    logOutAllOthers: 'Alle anderen abmelden',
    othersLoggedOut: 'Alle anderen Geräte sind abgemeldet.',

    appearance: 'Darstellung',
    aboutAppearance: 'Nur für diesen Browser. „System“ richtet sich danach, was dein Gerät vorgibt.',
    themes: { system: 'System', light: 'Hell', dark: 'Dunkel' },

    yourData: 'Deine Daten',
    aboutYourData: 'Alles, was über dich gespeichert ist, in einer Datei, die Programme lesen können (JSON).',
    downloadData: 'Meine Daten herunterladen',
    downloaded: 'Deine Datei ist heruntergeladen.',

    deletion: 'Konto löschen',
    aboutDeletion: 'Du wirst überall abgemeldet und kannst dich nicht mehr anmelden.',
    whatDeletionMeans: (site) =>
      `Wer ${site} betreibt, kann dein Konto eine Zeit lang zurückholen: 30 Tage, wenn nichts anderes eingestellt ist. ` +
      'Danach ist es endgültig weg. Deine E-Mail-Adresse und dein Benutzername sind sofort für ein neues Konto frei.',
    deleteAccount: 'Konto löschen …',
    deletionQuestion: 'Dein Konto löschen?',
    noWayBack: 'Du kannst das selbst nicht rückgängig machen. Gib dein Passwort ein, wenn du sicher bist.',
    deleteMyAccount: 'Mein Konto löschen',
    keepMyAccount: 'Mein Konto behalten',
  },
});
