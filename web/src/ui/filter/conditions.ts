import type { FilterField, FilterKind } from '@/api/shapes';

/** The filter language, as the screens build it: groups of conditions, kept as JSON in the URL. */

export interface Condition {
  field: string;
  op: string;
  value?: unknown;
}

export interface Group {
  match: 'all' | 'any';
  children: Node[];
}

export type Node = Group | Condition;

/** How deep the builder lets groups stand in each other. The server takes one more. */
export const GROUPS_DEEP = 3;

export const isGroup = (node: Node): node is Group => 'match' in node;

/** How a value is entered. */
export type Input =
  | 'none'
  | 'text'
  | 'texts'
  | 'number'
  | 'numbers'
  | 'date'
  | 'dates'
  | 'age'
  | 'period'
  | 'one'
  | 'several'
  | 'flag';

export interface Operator {
  op: string;
  label: string;
  input: Input;
}

const operator = (op: string, label: string, input: Input): Operator => ({ op, label, input });
const presence = [operator('not_empty', 'has any value', 'none'), operator('empty', 'is empty', 'none')];

const chosen = [
  operator('any_of', 'is any of', 'several'),
  operator('none_of', 'is none of', 'several'),
  operator('is', 'is', 'one'),
  operator('is_not', 'is not', 'one'),
  ...presence,
];

export const OPERATORS: Record<FilterKind, Operator[]> = {
  text: [
    operator('contains', 'contains', 'text'),
    operator('not_contains', 'does not contain', 'text'),
    operator('is', 'is', 'text'),
    operator('is_not', 'is not', 'text'),
    operator('any_of', 'is any of', 'texts'),
    operator('none_of', 'is none of', 'texts'),
    operator('starts_with', 'starts with', 'text'),
    operator('ends_with', 'ends with', 'text'),
    ...presence,
  ],
  number: [
    operator('at_least', 'is at least', 'number'),
    operator('at_most', 'is at most', 'number'),
    operator('more_than', 'is more than', 'number'),
    operator('less_than', 'is less than', 'number'),
    operator('is', 'is', 'number'),
    operator('is_not', 'is not', 'number'),
    operator('between', 'is between', 'numbers'),
    ...presence,
  ],
  date: [
    operator('in_last', 'in the last', 'age'),
    operator('more_than_ago', 'more than … ago', 'age'),
    operator('in_next', 'in the next', 'age'),
    operator('this', 'this', 'period'),
    operator('previous', 'last', 'period'),
    operator('on', 'on', 'date'),
    operator('before', 'before', 'date'),
    operator('after', 'after', 'date'),
    operator('between', 'between', 'dates'),
    ...presence,
  ],
  choice: chosen,
  id: chosen,
  set: [
    operator('any_of', 'has any of', 'several'),
    operator('all_of', 'has all of', 'several'),
    operator('none_of', 'has none of', 'several'),
    ...presence,
  ],
  flag: [operator('is', 'is', 'flag'), ...presence],
};

/** What may be asked of a field. A lead is in a segment or is not: there is no empty one. */
export const operatorsOf = ({ name, kind }: Pick<FilterField, 'name' | 'kind'>): Operator[] =>
  name === 'segment' ? OPERATORS[kind].filter(({ input }) => input !== 'none') : OPERATORS[kind];

export const UNITS = ['minutes', 'hours', 'days', 'weeks', 'months', 'years'];
export const PERIODS = ['day', 'week', 'month', 'year'];

/** What a new condition, or one with another operator, begins with. */
export function blankValue(input: Input): unknown {
  switch (input) {
    case 'none':
      return undefined;
    case 'age':
      return { amount: 7, unit: 'days' };
    case 'period':
      return 'month';
    case 'texts':
    case 'several':
      return [];
    case 'numbers':
    case 'dates':
      return ['', ''];
    case 'flag':
      return true;
    case 'text':
    case 'number':
    case 'date':
    case 'one':
      return '';
  }
}

export const operatorOf = (kind: FilterKind, op: string): Operator | undefined =>
  OPERATORS[kind].find((each) => each.op === op);

export function newCondition(field: FilterField): Condition {
  const [first] = OPERATORS[field.kind];
  if (!first) throw new Error('every kind has operators');
  return withValue({ field: field.name, op: first.op }, blankValue(first.input));
}

export function withValue({ field, op }: Condition, value: unknown): Condition {
  return value === undefined ? { field, op } : { field, op, value };
}

/** Another operator keeps the value where it is entered in the same way. */
export function withOperator(condition: Condition, kind: FilterKind, op: string): Condition {
  const before = operatorOf(kind, condition.op)?.input;
  const after = operatorOf(kind, op)?.input ?? 'none';
  return withValue({ ...condition, op }, before === after ? condition.value : blankValue(after));
}

export function isComplete({ value }: Condition, input: Input): boolean {
  const isSaid = (each: unknown) =>
    typeof each === 'string' ? each.trim() !== '' : each !== null && each !== undefined;
  if (input === 'none') return true;
  if (Array.isArray(value)) return value.length > 0 && value.every(isSaid);
  return isSaid(value);
}

/** Every condition of a tree. */
export const conditionsOf = (node: Node): Condition[] => (isGroup(node) ? node.children.flatMap(conditionsOf) : [node]);

export const emptyGroup = (): Group => ({ match: 'all', children: [] });

/** Reads what the URL or a saved view has; `null` where it is no filter. */
export function readFilter(text: string | undefined): Group | null {
  if (!text) return null;
  try {
    return groupOf(JSON.parse(text));
  } catch {
    return null;
  }
}

export function groupOf(json: unknown): Group | null {
  const node = nodeOf(json);
  if (node === null) return null;
  return isGroup(node) ? node : { match: 'all', children: [node] };
}

function nodeOf(json: unknown): Node | null {
  if (typeof json !== 'object' || json === null) return null;
  const { all, any, field, op, value } = json as Record<string, unknown>;
  const list = Array.isArray(all) ? all : any;
  if (Array.isArray(list)) {
    const children = list.map(nodeOf);
    if (children.some((child) => child === null)) return null;
    return { match: Array.isArray(all) ? 'all' : 'any', children: children.filter((child) => child !== null) };
  }
  if (typeof field !== 'string' || typeof op !== 'string') return null;
  return value === undefined || value === null ? { field, op } : { field, op, value };
}

/** As the API takes it; groups without conditions are left out, and nothing is left of an empty filter. */
export function filterJson(node: Node): Record<string, unknown> | undefined {
  if (!isGroup(node)) return { ...node };
  const children = node.children.map(filterJson).filter((child) => child !== undefined);
  return children.length === 0 ? undefined : { [node.match]: children };
}

export function writeFilter(group: Group): string | undefined {
  const json = filterJson(group);
  return json && JSON.stringify(json);
}

/** Whether two filters are written alike. */
export const isSameFilter = (one: string | undefined, other: unknown): boolean =>
  writeFilter(readFilter(one) ?? emptyGroup()) === writeFilter(groupOf(other) ?? emptyGroup());

type NameOf = (field: string, value: string) => string;

/** A condition in words, for a chip. */
export function conditionWords(condition: Condition, field: FilterField | undefined, nameOf: NameOf): string {
  const label = field?.label ?? condition.field;
  const how = field && operatorOf(field.kind, condition.op);
  return [label, how?.label ?? condition.op, valueWords(condition, how?.input, nameOf)].filter(Boolean).join(' ');
}

function valueWords({ field, value }: Condition, input: Input | undefined, nameOf: NameOf): string {
  const name = (each: unknown) => (typeof each === 'string' ? nameOf(field, each) : String(each));
  if (input === 'flag') return value === true ? 'yes' : 'no';
  if (input === 'age') {
    const { amount, unit } = value as { amount: number; unit: string };
    return `${amount} ${amount === 1 ? unit.replace(/s$/, '') : unit}`;
  }
  if (Array.isArray(value)) {
    const between = input === 'numbers' || input === 'dates' ? ' and ' : ', ';
    return value.length > 3 ? `${name(value[0])} and ${value.length - 1} more` : value.map(name).join(between);
  }
  return value === undefined ? '' : name(value);
}
