/** One table for the keys and for the sheet that explains them. */
export interface Shortcut {
  keys: string[];
  does: string;
}

export const SHORTCUTS: { title: string; shortcuts: Shortcut[] }[] = [
  {
    title: 'Everywhere',
    shortcuts: [
      { keys: ['Ctrl', 'K'], does: 'Find a lead or an action' },
      { keys: ['/'], does: 'Search' },
      { keys: ['C'], does: 'Add a lead' },
      { keys: ['G', 'B'], does: 'Go to the board' },
      { keys: ['G', 'L'], does: 'Go to the table of leads' },
      { keys: ['G', 'T'], does: 'Go to the tasks' },
      { keys: ['G', 'I'], does: 'Go to the inbox' },
      { keys: ['G', 'C'], does: 'Go to the campaigns' },
      { keys: ['G', 'A'], does: 'Go to the automations' },
      { keys: ['?'], does: 'Show this sheet' },
    ],
  },
  {
    title: 'On the board',
    shortcuts: [
      { keys: ['Arrows'], does: 'From card to card' },
      { keys: ['Alt', 'Arrows'], does: 'Move the card' },
      { keys: ['M'], does: 'Move the card to…' },
      { keys: ['Enter'], does: 'Open the lead' },
    ],
  },
  {
    title: 'In the inbox',
    shortcuts: [
      { keys: ['J'], does: 'Open the next conversation' },
      { keys: ['K'], does: 'Open the previous conversation' },
      { keys: ['Arrows'], does: 'From conversation to conversation in the list' },
      { keys: ['R'], does: 'Answer' },
      { keys: ['N'], does: 'Write a note' },
      { keys: ['Ctrl', 'Enter'], does: 'Send the answer, keep the note' },
      { keys: ['O'], does: 'Assign to somebody' },
      { keys: ['S'], does: 'Snooze' },
      { keys: ['E'], does: 'Close or reopen' },
      { keys: ['Esc'], does: 'Leave the field; go back to the list' },
    ],
  },
  {
    title: 'On the tasks, campaigns, automations and templates',
    shortcuts: [{ keys: ['N'], does: 'New one' }],
  },
  {
    title: 'On a lead',
    shortcuts: [
      { keys: ['J'], does: 'Next lead' },
      { keys: ['K'], does: 'Previous lead' },
      { keys: ['Enter'], does: 'Save a field' },
      { keys: ['Esc'], does: 'Leave a field as it was; close the panel' },
      { keys: ['Ctrl', 'Enter'], does: 'Save a note' },
    ],
  },
];
