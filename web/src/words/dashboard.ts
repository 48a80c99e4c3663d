/**
 * The words of the dashboard: the greeting, where to go, and what the server holds about the account.
 */

import { catalogue } from '../lib/locale.ts';

export const dashboardWords = catalogue({
  en: {
    title: 'Dashboard',
    welcome: (name: string) => `Welcome, ${name}`,
    loggedInTo: (site: string) => `You are logged in to ${site}.`,

    whereToGo: 'Where to go',
    backToWhereYouWere: 'Back to where you were',
    frontPage: 'Front page',

    yourAccount: 'Your account',
    noUsername: 'None chosen',
    roles: 'Roles',
    memberSince: 'Member since',
    changeAccount: 'Change your profile, password or devices',
    forSupport: 'For support',
    accountId: 'Account id',
    lastChange: 'Last change',
  },
  de: {
    title: 'Übersicht',
    welcome: (name) => `Willkommen, ${name}`,
    loggedInTo: (site) => `Du bist bei ${site} angemeldet.`,

    whereToGo: 'Wohin es geht',
    backToWhereYouWere: 'Zurück, wo du warst',
    frontPage: 'Startseite',

    yourAccount: 'Dein Konto',
    noUsername: 'Keiner gewählt',
    roles: 'Rollen',
    memberSince: 'Dabei seit',
    changeAccount: 'Profil, Passwort oder Geräte ändern',
    forSupport: 'Für den Support',
    accountId: 'Konto-Nummer',
    lastChange: 'Letzte Änderung',
  },
});
