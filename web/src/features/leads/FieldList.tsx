import { Button, Menu, ScrollArea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { filterFieldsQuery } from '@/api/lookups';
import type { FilterField } from '@/api/shapes';
import { useOpensAtOnce } from '@/ui/onDemand';
import type { FieldMenuProps } from './FieldMenu';

const NO_FIELDS: FilterField[] = [];

/** The fields to choose from; what is turned on comes last. */
export default function FieldList(props: Omit<FieldMenuProps, 'icon'> & { children: ReactElement }) {
  const { label, choices, shown, onChange, onReset, children } = props;
  const menu = useOpensAtOnce();
  const fields = useQuery(filterFieldsQuery).data ?? NO_FIELDS;
  return (
    <Menu closeOnItemClick={false} position="bottom-end" opened={menu.opened} onChange={menu.onChange}>
      <Menu.Target>{children}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{label}</Menu.Label>
        <ScrollArea.Autosize mah={360} type="auto">
          {choices(fields).map(({ key, label: name }) => (
            <Menu.CheckboxItem
              key={key}
              checked={shown.includes(key)}
              onChange={(checked) => onChange(checked ? [...shown, key] : shown.filter((each) => each !== key))}
            >
              {name}
            </Menu.CheckboxItem>
          ))}
        </ScrollArea.Autosize>
        <Menu.Divider />
        <Button variant="subtle" size="compact-xs" fullWidth onClick={onReset}>
          Reset
        </Button>
      </Menu.Dropdown>
    </Menu>
  );
}
