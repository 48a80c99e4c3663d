/**
 * The words of the todos on the dashboard.
 */

import { catalogue } from '../lib/locale.ts';

export const todoWords = catalogue({
  en: {
    todos: 'Your todos',

    // Adding one.
    newTodo: 'New todo',
    newTodoHint: 'What is there to do?',
    add: 'Add',
    titleMissing: 'Write what there is to do.',
    added: (title: string) => `“${title}” is added.`,
    showIt: 'Show it',

    // Which ones are shown.
    filter: 'Which todos',
    all: 'All',
    open: 'Open',
    done: 'Done',
    search: 'Search your todos',
    sort: 'Sort by',
    '-created_at': 'Newest',
    created_at: 'Oldest',
    due_at: 'Due date',
    title: 'Title',
    countOfAll: (count: number) => (count === 1 ? '1 todo' : `${count} todos`),
    countOfOpen: (count: number) => `${count} open`,
    countOfDone: (count: number) => `${count} done`,
    countOfFound: (count: number) => `${count} found`,
    pages: 'Pages of your todos',
    previous: 'Previous',
    next: 'Next',
    pageOf: (page: number, pages: number) => `Page ${page} of ${pages}`,

    // One of them.
    edit: 'Edit',
    delete: (title: string) => `Delete “${title}”`,
    due: (when: string) => `Due ${when}`,
    overdue: (when: string) => `Overdue: ${when}`,

    // Editing one.
    editTodo: 'Edit todo',
    titleField: 'Title',
    descriptionField: 'Details',
    dueField: 'Due',
    dueIncomplete: 'Enter the date and the time, or clear the field.',
    save: 'Save',
    close: 'Close',
    changedElsewhere: 'This todo was changed elsewhere while you were editing it. Now it is:',
    takeTheirs: 'Go on with that one',
    keepMine: 'Keep what I wrote',
    noDetails: 'No details',
    notDue: 'No due date',
    deletedElsewhere: 'This todo has been deleted elsewhere. Copy what you want to keep.',

    // Deleting.
    deleted: (title: string) => `“${title}” is deleted.`,
    severalDeleted: (count: number) => `${count} todos are deleted.`,
    undo: 'Undo',
    dismiss: 'Dismiss',

    // What did not work.
    notAdded: (title: string) => `“${title}” could not be added.`,
    notChanged: (title: string) => `“${title}” could not be changed.`,
    notDeleted: (title: string) => `“${title}” could not be deleted.`,
    noLongerThere: 'It has been deleted elsewhere.',
    notLoaded: 'Your todos could not be loaded.',
    notRefreshed: 'What you see here may be old.',
    loading: 'Looking for your todos…',

    // Nothing to show.
    nothingYet: 'A clear desk',
    nothingYetHint: 'Write down the first thing there is to do, and press Enter.',
    nothingOpen: 'Everything is done',
    nothingOpenHint: 'Nothing is left open. Enjoy it.',
    nothingDone: 'Nothing is done yet',
    nothingDoneHint: 'What you check off shows up here.',
    nothingFound: (q: string) => `Nothing matches “${q}”`,
    nothingFoundHint: 'Titles and details are searched for exactly this text.',
    showAll: 'Show all todos',
    searchInAll: 'Search in all todos',
  },
  de: {
    todos: 'Deine Aufgaben',

    newTodo: 'Neue Aufgabe',
    newTodoHint: 'Was ist zu tun?',
    add: 'Hinzufügen',
    titleMissing: 'Schreib auf, was zu tun ist.',
    added: (title) => `„${title}“ ist dabei.`,
    showIt: 'Zeigen',

    filter: 'Welche Aufgaben',
    all: 'Alle',
    open: 'Offen',
    done: 'Erledigt',
    search: 'Aufgaben durchsuchen',
    sort: 'Sortieren nach',
    '-created_at': 'Neueste',
    created_at: 'Älteste',
    due_at: 'Fälligkeit',
    title: 'Titel',
    countOfAll: (count) => (count === 1 ? '1 Aufgabe' : `${count} Aufgaben`),
    countOfOpen: (count) => `${count} offen`,
    countOfDone: (count) => `${count} erledigt`,
    countOfFound: (count) => `${count} gefunden`,
    pages: 'Seiten deiner Aufgaben',
    previous: 'Zurück',
    next: 'Weiter',
    pageOf: (page, pages) => `Seite ${page} von ${pages}`,

    edit: 'Bearbeiten:',
    delete: (title) => `„${title}“ löschen`,
    due: (when) => `Fällig: ${when}`,
    overdue: (when) => `Überfällig: ${when}`,

    editTodo: 'Aufgabe bearbeiten',
    titleField: 'Titel',
    descriptionField: 'Einzelheiten',
    dueField: 'Fällig',
    dueIncomplete: 'Gib Datum und Uhrzeit an, oder leere das Feld.',
    save: 'Speichern',
    close: 'Schließen',
    changedElsewhere: 'Während du geschrieben hast, wurde diese Aufgabe anderswo geändert. Jetzt lautet sie:',
    takeTheirs: 'Damit weitermachen',
    keepMine: 'Meine Fassung behalten',
    noDetails: 'Keine Einzelheiten',
    notDue: 'Kein Termin',
    deletedElsewhere: 'Diese Aufgabe wurde anderswo gelöscht. Kopier dir, was du behalten willst.',

    deleted: (title) => `„${title}“ ist gelöscht.`,
    severalDeleted: (count) => `${count} Aufgaben sind gelöscht.`,
    undo: 'Rückgängig',
    dismiss: 'Schließen',

    notAdded: (title) => `„${title}“ konnte nicht hinzugefügt werden.`,
    notChanged: (title) => `„${title}“ konnte nicht geändert werden.`,
    notDeleted: (title) => `„${title}“ konnte nicht gelöscht werden.`,
    noLongerThere: 'Sie wurde anderswo gelöscht.',
    notLoaded: 'Deine Aufgaben konnten nicht geladen werden.',
    notRefreshed: 'Was du hier siehst, ist vielleicht veraltet.',
    loading: 'Deine Aufgaben kommen gleich …',

    nothingYet: 'Nichts auf dem Tisch',
    nothingYetHint: 'Schreib auf, was als Erstes zu tun ist, und drück die Eingabetaste.',
    nothingOpen: 'Alles erledigt',
    nothingOpenHint: 'Es ist nichts mehr offen. Genieß es.',
    nothingDone: 'Noch nichts erledigt',
    nothingDoneHint: 'Was du abhakst, steht dann hier.',
    nothingFound: (q) => `Nichts passt zu „${q}“`,
    nothingFoundHint: 'In Titeln und Einzelheiten wird genau dieser Text gesucht.',
    showAll: 'Alle Aufgaben zeigen',
    searchInAll: 'In allen Aufgaben suchen',
  },
});
