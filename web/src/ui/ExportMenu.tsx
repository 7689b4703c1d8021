import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { type Query, withQuery } from '@/api/client';

interface ExportMenuProps {
  /** The address of the files, without their endings. */
  path: string;
  /** What narrows and orders the list that is seen. */
  query: Query;
}

/** Downloads all that a list finds, not this page of it alone. */
export function ExportMenu({ path, query }: ExportMenuProps) {
  const item = (ending: string, label: string) => (
    <Menu.Item component="a" href={withQuery(`${path}.${ending}`, query)} download>
      {label}
    </Menu.Item>
  );
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={14} />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>All that match, on every page</Menu.Label>
        {item('csv', 'CSV')}
        {item('xlsx', 'Excel')}
      </Menu.Dropdown>
    </Menu>
  );
}
