FROM registry.access.redhat.com/ubi9/ubi-minimal:9.6
LABEL name="shop/app" \
      vendor="Example" \
      io.k8s.description="The shop's application"
RUN microdnf install -y --setopt=install_weak_deps=0 --nodocs java-21-openjdk-headless shadow-utils tar gzip \
    && useradd -r -u 1001 -g 0 app \
    && microdnf clean all
WORKDIR /opt/app
COPY --chown=1001:0 target/app.jar .
RUN chgrp -R 0 /opt/app && chmod -R g=u /opt/app
USER 1001
EXPOSE 8080 8443
CMD ["java", "-jar", "app.jar"]
