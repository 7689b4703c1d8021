import { ActionIcon, Button, Menu, ScrollArea } from '@mantine/core';
import type { ReactNode } from 'react';

interface FieldMenuProps {
  label: string;
  icon: ReactNode;
  choices: { key: string; label: string }[];
  shown: readonly string[];
  onChange: (shown: string[]) => void;
  onReset: () => void;
}

/** Chooses what is shown; what is turned on comes last. */
export function FieldMenu({ label, icon, choices, shown, onChange, onReset }: FieldMenuProps) {
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={label} title={label}>
          {icon}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{label}</Menu.Label>
        <ScrollArea.Autosize mah={360} type="auto">
          {choices.map(({ key, label: name }) => (
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
