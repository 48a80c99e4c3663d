/**
 * The words of the pages of administration; those of audit events are in audit.ts.
 */

import { catalogue } from '../lib/locale.ts';

export const adminWords = catalogue({
  en: {
    // What the pages share.
    administration: 'Administration',
    figures: 'Figures',
    users: 'Users',
    audit: 'Audit log',
    loading: 'Looking it up…',
    showMore: 'Show more',
    forAdmins: 'This page is for administrators',
    forAdminsLead: (site: string) =>
      `Your account does not have that role. If you should have it, ask the people who run ${site}.`,
    toDashboard: 'To your dashboard',
    status: { active: 'Active', disabled: 'Disabled', deleted: 'Deleted' },
    you: 'You',

    // Figures.
    figuresLead: 'Who is here, and what the last days brought.',
    active: 'Active',
    disabled: 'Disabled',
    deleted: 'Deleted',
    admins: 'Administrators',
    sessions: 'Open sessions',
    browsers: 'In browsers',
    programs: 'In apps and programs',
    activity: 'Activity',
    lastDay: 'Last 24 hours',
    lastWeek: 'Last 7 days',
    registrations: 'Registrations',
    logins: 'Logins',
    failedLogins: 'Failed logins',
    countedAt: (time: string) => `Counted ${time}`,

    // The list of users.
    usersLead: 'Everybody who has an account here, the newest first.',
    addUser: 'Add user',
    search: 'Search',
    searchHint: 'Part of a name, a username or an e-mail address.',
    role: 'Role',
    statusFilter: 'Status',
    anyStatus: 'All but deleted',
    columnUser: 'User',
    columnUsername: 'Username',
    columnRoles: 'Roles',
    columnStatus: 'Status',
    columnSince: 'Since',
    usersShown: (count: number, more: boolean) => {
      if (count === 1 && !more) return '1 user.';
      return more ? `The first ${count} users.` : `${count} users.`;
    },
    noUsers: 'Nobody matches',
    noUsersLead: 'Try fewer letters, or another role or status.',
    clearFilters: 'Clear filters',

    // Adding a user.
    addTitle: 'Add a user',
    addLead: 'You vouch for the address, so it counts as verified. Hand the password over in a safe way.',
    emailMissing: 'Enter an e-mail address.',
    password: 'Password',
    passwordMissing: 'Choose a password.',
    passwordHint: 'A few words that only you would put together. The user can change it at any time.',
    isAdmin: 'Administrator',
    isAdminHint: 'May see and change everything on these pages.',
    otherRoles: 'Other roles',
    otherRolesHint: 'Separated by commas, for example: staff, press',

    // One user.
    noSuchUser: 'There is no such user',
    noSuchUserLead: 'The account never was, or has been removed for good.',
    toUsers: 'All users',
    account: 'Account',
    accountAbout: 'What the server holds about it.',
    none: 'None',
    noRoles: 'None',
    verified: 'verified',
    notVerified: 'not verified',
    since: 'Member since',
    changedAt: 'Last change',
    disabledAt: 'Disabled',
    deletedAt: 'Deleted',
    id: 'Account id',
    profile: 'Profile and roles',
    profileAbout: 'What you set here holds at once. An address that you set counts as verified.',
    emailHint: 'Saving it vouches for it.',
    save: 'Save changes',
    saved: 'The changes are saved.',
    losesRoles: (name: string, roles: string) => `Take ${roles} from ${name}?`,
    losesRolesLead: 'The user is logged out everywhere, and has the new roles after the next login.',
    losesOwnAdmin: 'Stop being an administrator?',
    losesOwnAdminLead:
      'You are logged out everywhere, and these pages are closed to you until another administrator opens them again.',
    losesOwnRoles: 'You are logged out everywhere, and have the new roles after your next login.',
    takeAway: 'Take away',
    access: 'Access',
    accessAbout: {
      active: 'Whether the user can log in, and stays logged in.',
      disabled: 'Nobody can log in with this account. Nothing of it is lost.',
      deleted: 'The account comes back as it was. Its sessions do not.',
    },
    disable: 'Disable…',
    enable: 'Enable',
    endSessions: 'Log out everywhere…',
    delete: 'Delete account…',
    questions: {
      disable: {
        title: (name: string) => `Disable ${name}?`,
        lead: 'The user is logged out everywhere and cannot log in until you enable the account again.',
        aboutYou: 'That is you. You are logged out everywhere, and only another administrator can let you in again.',
        submit: 'Disable',
      },
      endSessions: {
        title: (name: string) => `Log ${name} out everywhere?`,
        lead: 'Every device has to log in again. What is not saved there may be lost.',
        aboutYou: 'That is you. Every device has to log in again, this one too.',
        submit: 'Log out everywhere',
      },
      delete: {
        title: (name: string) => `Delete the account of ${name}?`,
        lead: 'The user is logged out everywhere, and the names are free for others at once. You can restore the account for 30 days, unless the server is set up otherwise; then it is gone for good.',
        aboutYou: 'That is you. You are logged out everywhere, and only another administrator can bring you back.',
        submit: 'Delete account',
      },
    },
    done: {
      disable: 'The account is disabled.',
      enable: 'The account is enabled.',
      endSessions: 'The user is logged out everywhere.',
      delete: 'The account is deleted.',
      restore: 'The account is back. The user can log in again.',
    },
    restorationLead:
      'A deleted account is kept for 30 days, unless the server is set up otherwise. After that it is gone for good.',
    restore: 'Restore account',
    events: 'What happened',
    eventsAbout: 'What this user did, and what was done to the account.',
    allEvents: 'All of it in the audit log',

    // The audit log.
    auditLead: 'What happened here, the newest first. Nobody can change it.',
    eventFilter: 'Event',
    anyEvent: 'All events',
    sinceFilter: 'Since',
    userFilter: 'User',
    onlyOf: 'Only what is about',
    allUsers: 'Show everybody',
    since24h: 'Last 24 hours',
    since7d: 'Last 7 days',
    since30d: 'Last 30 days',
    anyTime: 'Any time',
    eventsShown: (count: number, more: boolean) => {
      if (count === 1 && !more) return '1 event.';
      return more ? `The newest ${count} events.` : `${count} events.`;
    },
    newer: (count: number, more: boolean) => {
      if (count === 1) return 'Show 1 newer event';
      return more ? `Show ${count} or more newer events` : `Show ${count} newer events`;
    },
    noEvents: 'Nothing of the kind happened',
    noEventsLead: 'Try another event, or a longer time.',

    // Why something did not work.
    lastAdmin: 'There must be an administrator, and this is the last one. Make somebody else an administrator first.',
    deletedMeanwhile: 'Somebody has deleted this account meanwhile. Restore it first.',
    beingRemoved: 'This account is being removed for good already, and can no longer be restored.',
    goneMeanwhile: 'This account has been removed for good meanwhile.',
    noAdminAnyMore: 'You are no administrator any more. Nothing was changed.',
    emailTaken: 'Another account has this e-mail address.',
    usernameTaken: 'Another account has this username.',
    restoreEmailTaken:
      'Somebody else has registered with the e-mail address of this account since. Change or delete that account first.',
    restoreUsernameTaken:
      'Somebody else has taken the username of this account since. Change or delete that account first.',
  },
  de: {
    administration: 'Verwaltung',
    figures: 'Zahlen',
    users: 'Benutzer',
    audit: 'Protokoll',
    loading: 'Wird nachgesehen …',
    showMore: 'Mehr zeigen',
    forAdmins: 'Diese Seite ist für Admins',
    forAdminsLead: (site) =>
      `Dein Konto hat diese Rolle nicht. Wenn du sie brauchst, frag die Leute, die ${site} betreiben.`,
    toDashboard: 'Zu deiner Übersicht',
    status: { active: 'Aktiv', disabled: 'Gesperrt', deleted: 'Gelöscht' },
    you: 'Du',

    figuresLead: 'Wer hier ist, und was die letzten Tage gebracht haben.',
    active: 'Aktiv',
    disabled: 'Gesperrt',
    deleted: 'Gelöscht',
    admins: 'Admins',
    sessions: 'Offene Sitzungen',
    browsers: 'In Browsern',
    programs: 'In Apps und Programmen',
    activity: 'Was los war',
    lastDay: 'Letzte 24 Stunden',
    lastWeek: 'Letzte 7 Tage',
    registrations: 'Neue Konten',
    logins: 'Anmeldungen',
    failedLogins: 'Fehlversuche',
    countedAt: (time) => `Gezählt ${time}`,

    usersLead: 'Alle, die hier ein Konto haben, die neuesten zuerst.',
    addUser: 'Konto anlegen',
    search: 'Suche',
    searchHint: 'Ein Stück vom Namen, Benutzernamen oder von der E-Mail-Adresse.',
    role: 'Rolle',
    statusFilter: 'Zustand',
    anyStatus: 'Alle außer gelöschten',
    columnUser: 'Wer',
    columnUsername: 'Benutzername',
    columnRoles: 'Rollen',
    columnStatus: 'Zustand',
    columnSince: 'Seit',
    usersShown: (count, more) => {
      if (count === 1 && !more) return 'Ein Konto.';
      return more ? `Die ersten ${count} Konten.` : `${count} Konten.`;
    },
    noUsers: 'Niemand passt dazu',
    noUsersLead: 'Versuch es mit weniger Buchstaben, einer anderen Rolle oder einem anderen Zustand.',
    clearFilters: 'Filter aufheben',

    addTitle: 'Ein Konto anlegen',
    addLead: 'Du bürgst für die Adresse, sie gilt darum als bestätigt. Gib das Passwort auf einem sicheren Weg weiter.',
    emailMissing: 'Gib eine E-Mail-Adresse ein.',
    password: 'Passwort',
    passwordMissing: 'Wähl ein Passwort.',
    passwordHint: 'Ein paar Wörter, auf die sonst niemand käme. Es lässt sich später jederzeit ändern.',
    isAdmin: 'Admin',
    isAdminHint: 'Darf auf diesen Seiten alles sehen und ändern.',
    otherRoles: 'Weitere Rollen',
    otherRolesHint: 'Mit Kommas dazwischen, zum Beispiel: staff, press',

    noSuchUser: 'Dieses Konto gibt es nicht',
    noSuchUserLead: 'Es war nie da, oder es ist endgültig entfernt.',
    toUsers: 'Alle Benutzer',
    account: 'Konto',
    accountAbout: 'Was der Server darüber gespeichert hat.',
    none: 'Keiner',
    noRoles: 'Keine',
    verified: 'bestätigt',
    notVerified: 'nicht bestätigt',
    since: 'Dabei seit',
    changedAt: 'Letzte Änderung',
    disabledAt: 'Gesperrt',
    deletedAt: 'Gelöscht',
    id: 'Kennung des Kontos',
    profile: 'Profil und Rollen',
    profileAbout: 'Was du hier einträgst, gilt sofort. Eine Adresse von dir gilt als bestätigt.',
    emailHint: 'Mit dem Speichern bürgst du für sie.',
    save: 'Änderungen speichern',
    saved: 'Die Änderungen sind gespeichert.',
    losesRoles: (name, roles) => `${name} die Rolle ${roles} nehmen?`,
    losesRolesLead: 'Alle Geräte werden abgemeldet. Die neuen Rollen gelten ab der nächsten Anmeldung.',
    losesOwnAdmin: 'Kein Admin mehr sein?',
    losesOwnAdminLead:
      'Du wirst überall abgemeldet, und diese Seiten bleiben dir verschlossen, bis ein anderer Admin sie dir wieder öffnet.',
    losesOwnRoles: 'Du wirst überall abgemeldet. Die neuen Rollen gelten ab deiner nächsten Anmeldung.',
    takeAway: 'Rolle nehmen',
    access: 'Zugang',
    accessAbout: {
      active: 'Ob sich jemand mit dem Konto anmelden kann und angemeldet bleibt.',
      disabled: 'Niemand kann sich mit diesem Konto anmelden. Verloren geht nichts davon.',
      deleted: 'Das Konto kommt zurück, wie es war. Seine Sitzungen nicht.',
    },
    disable: 'Sperren …',
    enable: 'Freigeben',
    endSessions: 'Überall abmelden …',
    delete: 'Konto löschen …',
    questions: {
      disable: {
        title: (name) => `${name} sperren?`,
        lead: 'Alle Geräte werden abgemeldet, und niemand kann sich mit dem Konto anmelden, bis du es wieder freigibst.',
        aboutYou: 'Das bist du. Du wirst überall abgemeldet, und nur ein anderer Admin kann dich wieder hereinlassen.',
        submit: 'Sperren',
      },
      endSessions: {
        title: (name) => `${name} überall abmelden?`,
        lead: 'Jedes Gerät muss sich neu anmelden. Was dort nicht gespeichert ist, kann verloren gehen.',
        aboutYou: 'Das bist du. Jedes Gerät muss sich neu anmelden, auch dieses.',
        submit: 'Überall abmelden',
      },
      delete: {
        title: (name) => `Das Konto von ${name} löschen?`,
        lead: 'Alle Geräte werden abgemeldet, und die Namen sind sofort wieder frei. Du kannst das Konto 30 Tage lang wiederherstellen, wenn der Server nicht anders eingestellt ist; danach ist es endgültig weg.',
        aboutYou: 'Das bist du. Du wirst überall abgemeldet, und nur ein anderer Admin kann dich zurückholen.',
        submit: 'Konto löschen',
      },
    },
    done: {
      disable: 'Das Konto ist gesperrt.',
      enable: 'Das Konto ist wieder frei.',
      endSessions: 'Alle Geräte sind abgemeldet.',
      delete: 'Das Konto ist gelöscht.',
      restore: 'Das Konto ist zurück. Die Anmeldung geht wieder.',
    },
    restorationLead:
      'Ein gelöschtes Konto bleibt 30 Tage, wenn der Server nicht anders eingestellt ist. Danach ist es endgültig weg.',
    restore: 'Konto wiederherstellen',
    events: 'Was war',
    eventsAbout: 'Was von diesem Konto ausging, und was damit geschah.',
    allEvents: 'Alles davon im Protokoll',

    auditLead: 'Was hier geschehen ist, das Neueste zuerst. Niemand kann es ändern.',
    eventFilter: 'Ereignis',
    anyEvent: 'Alle Ereignisse',
    sinceFilter: 'Zeitraum',
    userFilter: 'Wer',
    onlyOf: 'Nur was zu tun hat mit',
    allUsers: 'Alle zeigen',
    since24h: 'Letzte 24 Stunden',
    since7d: 'Letzte 7 Tage',
    since30d: 'Letzte 30 Tage',
    anyTime: 'Von Anfang an',
    eventsShown: (count, more) => {
      if (count === 1 && !more) return 'Ein Ereignis.';
      return more ? `Die neuesten ${count} Ereignisse.` : `${count} Ereignisse.`;
    },
    newer: (count, more) => {
      if (count === 1) return 'Ein neueres Ereignis zeigen';
      return more ? `${count} oder mehr neuere Ereignisse zeigen` : `${count} neuere Ereignisse zeigen`;
    },
    noEvents: 'Nichts dergleichen ist geschehen',
    noEventsLead: 'Versuch es mit einem anderen Ereignis oder einem längeren Zeitraum.',

    lastAdmin: 'Einen Admin muss es geben, und das ist der letzte. Mach zuerst jemand anderen zum Admin.',
    deletedMeanwhile: 'Dieses Konto hat inzwischen jemand gelöscht. Stell es zuerst wieder her.',
    beingRemoved: 'Dieses Konto wird schon endgültig entfernt und lässt sich nicht mehr wiederherstellen.',
    goneMeanwhile: 'Dieses Konto ist inzwischen endgültig entfernt.',
    noAdminAnyMore: 'Du bist kein Admin mehr. Es wurde nichts geändert.',
    emailTaken: 'Ein anderes Konto hat diese E-Mail-Adresse.',
    usernameTaken: 'Ein anderes Konto hat diesen Benutzernamen.',
    restoreEmailTaken:
      'Mit der E-Mail-Adresse dieses Kontos hat sich inzwischen jemand anderes registriert. Ändere oder lösch zuerst jenes Konto.',
    restoreUsernameTaken:
      'Den Benutzernamen dieses Kontos hat inzwischen jemand anderes. Ändere oder lösch zuerst jenes Konto.',
  },
});
