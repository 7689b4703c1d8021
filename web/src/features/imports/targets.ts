/** What a column can be for, in groups, as people call it. */
export const TARGETS: { group: string; items: { value: string; label: string }[] }[] = [
  {
    group: 'Who it is',
    items: [
      { value: 'name', label: 'Name' },
      { value: 'first_name', label: 'First name' },
      { value: 'last_name', label: 'Last name' },
      { value: 'email', label: 'E-mail' },
      { value: 'phone', label: 'Phone' },
      { value: 'country_code', label: 'Country of the phone' },
      { value: 'company', label: 'Company' },
      { value: 'title', label: 'Title' },
    ],
  },
  {
    group: 'What it is about',
    items: [
      { value: 'message', label: 'Message' },
      { value: 'tags', label: 'Tags' },
      { value: 'quotable', label: 'Quotable' },
      { value: 'quote_value', label: 'Quote value' },
      { value: 'sales_value', label: 'Sales value' },
    ],
  },
  {
    group: 'Where it came from',
    items: [
      { value: 'page_url', label: 'Page' },
      { value: 'referrer', label: 'Referrer' },
      { value: 'utm_source', label: 'UTM source' },
      { value: 'utm_medium', label: 'UTM medium' },
      { value: 'utm_campaign', label: 'UTM campaign' },
      { value: 'utm_term', label: 'UTM term' },
      { value: 'utm_content', label: 'UTM content' },
    ],
  },
  {
    group: 'Anything else',
    items: [
      { value: 'custom', label: 'Custom field' },
      { value: 'ignore', label: 'Leave out' },
    ],
  },
];

const NAMES_SOMEBODY = new Set(['name', 'first_name', 'last_name', 'email', 'phone']);

/** Why a file cannot be imported with these columns; nothing where it can. */
export function whyNot(columns: { target: string; name?: string | null }[]): string | undefined {
  if (!columns.some(({ target }) => NAMES_SOMEBODY.has(target))) {
    return 'Say which column has names, e-mail addresses or phone numbers.';
  }
  const names = columns
    .filter(({ target }) => target === 'custom')
    .map(({ name }) => (name ?? '').trim().toLowerCase());
  if (names.some((name) => name === '')) return 'Give each custom field a name.';
  if (new Set(names).size < names.length) return 'Two columns have the same custom field.';
  return undefined;
}
