#import <Foundation/Foundation.h>
#import <UserNotifications/UserNotifications.h>

extern void roletrayNotifyActed(char *note, char *action);

API_AVAILABLE(macos(10.14))
@interface RoletrayNotifyDelegate : NSObject <UNUserNotificationCenterDelegate>
@end

@implementation RoletrayNotifyDelegate

- (void)userNotificationCenter:(UNUserNotificationCenter *)center
       willPresentNotification:(UNNotification *)notification
         withCompletionHandler:(void (^)(UNNotificationPresentationOptions))completionHandler {
  if (@available(macOS 11.0, *)) {
    completionHandler(UNNotificationPresentationOptionBanner | UNNotificationPresentationOptionList);
  } else {
    completionHandler(UNNotificationPresentationOptionAlert);
  }
}

- (void)userNotificationCenter:(UNUserNotificationCenter *)center
    didReceiveNotificationResponse:(UNNotificationResponse *)response
             withCompletionHandler:(void (^)(void))completionHandler {
  NSString *action = response.actionIdentifier;
  if ([action isEqualToString:UNNotificationDefaultActionIdentifier]) {
    action = @"default";
  }
  if (![action isEqualToString:UNNotificationDismissActionIdentifier]) {
    roletrayNotifyActed((char *)response.notification.request.identifier.UTF8String,
                        (char *)action.UTF8String);
  }
  completionHandler();
}

@end

static id roletrayDelegate;

int roletrayNotifyStart(void) {
  // currentNotificationCenter throws in a program without a bundle identifier.
  if ([NSBundle mainBundle].bundleIdentifier == nil) {
    return 0;
  }
  if (@available(macOS 10.14, *)) {
    UNUserNotificationCenter *center = [UNUserNotificationCenter currentNotificationCenter];
    roletrayDelegate = [RoletrayNotifyDelegate new];
    center.delegate = roletrayDelegate;
    [center requestAuthorizationWithOptions:(UNAuthorizationOptionAlert | UNAuthorizationOptionSound)
                          completionHandler:^(BOOL granted, NSError *error){
                          }];
    return 1;
  }
  return 0;
}

int roletrayNotifySend(const char *ident, const char *title, const char *body, int urgent,
                       const char **actionIDs, const char **actionLabels, int actions) {
  if (@available(macOS 10.14, *)) {
    UNUserNotificationCenter *center = [UNUserNotificationCenter currentNotificationCenter];
    NSMutableArray<UNNotificationAction *> *buttons = [NSMutableArray array];
    NSMutableString *category = [NSMutableString stringWithString:@"roletray"];
    for (int i = 0; i < actions; i++) {
      NSString *action = [NSString stringWithUTF8String:actionIDs[i]];
      NSString *label = [NSString stringWithUTF8String:actionLabels[i]];
      [buttons addObject:[UNNotificationAction actionWithIdentifier:action title:label options:UNNotificationActionOptionNone]];
      [category appendFormat:@"/%@:%@", action, label];
    }
    UNMutableNotificationContent *content = [UNMutableNotificationContent new];
    content.title = [NSString stringWithUTF8String:title];
    content.body = [NSString stringWithUTF8String:body];
    content.categoryIdentifier = category;
    if (urgent) {
      content.sound = [UNNotificationSound defaultSound];
    }
    UNNotificationCategory *known = [UNNotificationCategory categoryWithIdentifier:category
                                                                           actions:buttons
                                                                 intentIdentifiers:@[]
                                                                           options:UNNotificationCategoryOptionNone];
    UNNotificationRequest *request =
        [UNNotificationRequest requestWithIdentifier:[NSString stringWithUTF8String:ident] content:content trigger:nil];
    // The buttons belong to a category that the centre must know first; those of
    // notes on the screen are kept.
    [center getNotificationCategoriesWithCompletionHandler:^(NSSet<UNNotificationCategory *> *categories) {
      [center setNotificationCategories:[categories setByAddingObject:known]];
      [center addNotificationRequest:request
               withCompletionHandler:^(NSError *error){
               }];
    }];
    return 1;
  }
  return 0;
}

void roletrayNotifyWithdraw(const char *ident) {
  if (@available(macOS 10.14, *)) {
    NSArray<NSString *> *idents = @[ [NSString stringWithUTF8String:ident] ];
    UNUserNotificationCenter *center = [UNUserNotificationCenter currentNotificationCenter];
    [center removePendingNotificationRequestsWithIdentifiers:idents];
    [center removeDeliveredNotificationsWithIdentifiers:idents];
  }
}
