/** The panels of a desktop, a tab each. Widgets are added under Extended Panel, and stay in every layout. */
import { Suspense, lazy, useState } from 'react';
import { Tab, TabList, TabPanel, TabPanels, Tabs } from 'react-aria-components';
import type { Drafts } from '../designer/drafts';
import { useDrafts } from '../designer/drafts';
import { may } from '../lib/api/queries';
import type { Desktop } from '../lib/api/types';
import { KIND_NAMES } from '../lib/capture/words';
import { Icon } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { WidgetsPanelProps } from './widgets-panel';
import { WidgetsPanel } from './widgets-panel';

/** Read by those who design. */
const DesignerTab = lazy(() => import('../designer/designer-tab'));

type Panel = 'agent_panel' | 'extended_panel' | 'designer';

/** Which panel is shown, and what is drafted in the Designer. */
export type Panels = { shown: Panel; show: (panel: Panel) => void; drafts: Drafts };

export function usePanels(): Panels {
  const [shown, show] = useState<Panel>('extended_panel');
  return { shown, show, drafts: useDrafts() };
}

export type DesktopPanelsProps = Omit<WidgetsPanelProps, 'desktopId'> & {
  /** As it is saved. */
  desktop: Desktop;
  panels: Panels;
  /** Something else of the desktop is not saved. */
  changed: boolean;
};

export function DesktopPanels({ desktop, panels, changed, ...widgets }: DesktopPanelsProps) {
  const t = useT();
  const designed = desktop.layout === 'designer';
  const shown = panels.shown === 'designer' && !designed ? 'extended_panel' : panels.shown;
  return (
    <Tabs selectedKey={shown} onSelectionChange={(key) => panels.show(key as Panel)}>
      <div className={css.tabRow}>
        <TabList className={css.tabs!} aria-label={t('editor.panels')}>
          <Tab id="agent_panel" className={css.tab!}>
            {t('editor.tab.agent_panel')}
          </Tab>
          <Tab id="extended_panel" className={css.tab!}>
            {t('editor.tab.extended_panel')}
          </Tab>
          {designed && (
            <Tab id="designer" className={css.tab!}>
              {t('editor.tab.designer')}
            </Tab>
          )}
        </TabList>
        {!designed && desktop.service === 'designer' && (
          <p className={css.tabShut}>
            <Icon name="lock" />
            {t('designer.tab_saved_first')}
          </p>
        )}
      </div>
      <TabPanels>
        <TabPanel id="agent_panel" className={css.tabPanel!}>
          <AgentPanel draft={widgets.draft} />
        </TabPanel>
        <TabPanel id="extended_panel" className={css.tabPanel!}>
          <WidgetsPanel {...widgets} desktopId={desktop.id} />
        </TabPanel>
        <TabPanel id="designer" className={css.tabPanel!}>
          <Suspense fallback={<p role="status">{t('app.loading')}</p>}>
            <DesignerTab desktop={desktop} drafts={panels.drafts} editable={may(widgets.login, 'desktop.edit')} blocked={changed} />
          </Suspense>
        </TabPanel>
      </TabPanels>
    </Tabs>
  );
}

/** What of the desktop's widgets an agent's control buttons open. */
function AgentPanel({ draft }: Pick<WidgetsPanelProps, 'draft'>) {
  const t = useT();
  const enabled = draft.widgets.filter((widget) => widget.enabled);
  return (
    <section className={css.panel} aria-labelledby="agent-panel-title">
      <h2 id="agent-panel-title">{t('editor.agent_panel')}</h2>
      <p className={css.hint}>{t('editor.agent_panel_text')}</p>
      {enabled.length === 0 ? (
        <p className={css.empty}>{t('preview.nothing')}</p>
      ) : (
        <ol className={css.wrongs}>
          {enabled.map(({ key, kind, title }) => (
            <li key={key}>
              <strong>{title}</strong> <span className={css.hint}>{t(KIND_NAMES[kind])}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
